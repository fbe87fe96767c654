"""The journal of a run: what happened to it, a line an event."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["Journal"]


class Journal:
    """A file of JSON lines that is only ever added to.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     journal = Journal(Path(folder, "journal.jsonl"))
        ...     journal.add("launch", ranks=2)
        ...     journal.add("resume", step=3)
        ...     [(entry["event"], entry.get("step")) for entry in journal.entries()]
        [('launch', None), ('resume', 3)]
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, event: str, **facts: Any) -> None:
        """Add an event, with the time and the facts, and see it to the disk."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        line = json.dumps({"time": now, "event": event, **facts}) + "\n"
        with self.path.open("a+b") as file:
            # A line that a crash has cut short must not take the new one with it.
            if file.tell() and _last_byte(file.fileno()) != b"\n":
                line = "\n" + line
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def count(self, event: str) -> int:
        """Return how many there are of an event."""
        return sum(entry.get("event") == event for entry in self.entries())

    def entries(self) -> list[dict[str, Any]]:
        """Return what the lines say, without one that was cut short."""
        if not self.path.exists():
            return []
        entries = []
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                entries.append(entry)
        return entries


def _last_byte(descriptor: int) -> bytes:
    return os.pread(descriptor, 1, os.fstat(descriptor).st_size - 1)
