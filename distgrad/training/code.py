"""Which code a run is made of, as hashes: distgrad's own, and that of components of one's own."""

import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["code_hashes"]


def code_hashes(names: Iterator[str]) -> dict[str, str]:
    """Return the SHA-256 of the source of distgrad and of the modules that names lie in.

    Args:
        names: Names of components; those without a colon are distgrad's own.

    Example:
        >>> sorted(code_hashes(iter(["adam", "distgrad.optim:Adam"])))
        ['distgrad', 'distgrad.optim']
    """
    modules = {name.partition(":")[0] for name in names if ":" in name}
    return {"distgrad": _of_distgrad()} | {name: _of_module(name) for name in sorted(modules)}


@cache
def _of_distgrad() -> str:
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _of_module(name: str) -> str:
    file: Any = getattr(sys.modules.get(name), "__file__", None)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else "without a file"
