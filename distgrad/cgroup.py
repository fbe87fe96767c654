"""The limits of the control group that this process runs in: containers and batch systems set them.

Both versions of the interface are read. A group is bound by the limits of those above it, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Memory", "cpu_quota", "memory_limit"]


@dataclass(frozen=True)
class Memory:
    """A memory limit.

    Attributes:
        limit: Bytes.
        free: Bytes that can still be had under it, what the page cache holds included.
    """

    limit: int
    free: int


def memory_limit(root: Path = Path("/")) -> Memory | None:
    """Return the limit that leaves the least memory, or None without one."""
    found = [limit for folder in _folders("memory", root) if (limit := _memory_of(folder))]
    return min(found, key=lambda memory: memory.free, default=None)


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Return how many cores' time this process may use, or None without a limit."""
    found = [quota for folder in _folders("cpu", root) if (quota := _quota_of(folder))]
    return min(found, default=None)


def _folders(controller: str, root: Path) -> Iterator[Path]:
    """Yield the group of this process and those above it, for a controller, as far as mounted."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / controllers
        group = top / path.lstrip("/")
        # In a container the path may be that of the host, which is not to be seen from inside.
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(top))


def _memory_of(folder: Path) -> Memory | None:
    for limit_name, usage_name, cache_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit = _number(folder / limit_name)
        usage = _number(folder / usage_name)
        if limit is None or usage is None or limit >= 2**60:  # "no limit", in the old interface
            continue
        cache = _entry(folder / "memory.stat", cache_name)
        return Memory(limit, max(0, limit - usage + cache))
    return None


def _quota_of(folder: Path) -> float | None:
    words = _text(folder / "cpu.max").split()
    if len(words) == 2 and words[0] != "max":
        return int(words[0]) / int(words[1])
    quota = _number(folder / "cpu.cfs_quota_us")
    period = _number(folder / "cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def _entry(file: Path, name: str) -> int:
    words = _text(file).split()
    return int(words[words.index(name) + 1]) if name in words else 0


def _number(file: Path) -> int | None:
    text = _text(file).strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
