"""What CuPy 14 offers: the names that the strict double may have, and their parameters.

``cupy_api.txt`` beside this file holds a line for each: ``linalg.solve a b``, ``add ufunc``,
``ndarray.sum``. It is written by ``python tests/helpers/cupy_api.py`` where CuPy is installed,
which needs no GPU.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).with_suffix(".txt")

Parameters = tuple[str, ...]

_STARS = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def read() -> dict[str, Parameters]:
    """The names with the parameters of each; ``ufunc`` for those of a ufunc."""
    lines = FILE.read_text().splitlines()
    return {name: tuple(parameters) for name, *parameters in map(str.split, lines)}


def of_cupy() -> list[str]:
    """The lines for the CuPy that is installed."""
    import cupy

    modules = {"": cupy, "linalg.": cupy.linalg, "lib.stride_tricks.": cupy.lib.stride_tricks}
    lines = [
        f"{prefix}{name} {parameters}"
        for prefix, module in modules.items()
        for name, parameters in _functions(module, cupy.ufunc)
    ]
    attributes = [name for name in dir(cupy.ndarray) if not name.startswith("_")]
    lines += [
        f"ndarray.{name} {_of_method(getattr(cupy.ndarray, name))}".strip() for name in attributes
    ]
    return sorted(lines)


def _of_method(method: object) -> str:
    """The parameters of a compiled method, which its docstring begins with."""
    line = (getattr(method, "__doc__", None) or "").partition("\n")[0]
    found = re.search(r"\((?:self, |self)(.*?)\)(?: ->|$)", line)
    listed = found.group(1).split(", ") if found and found.group(1) else []
    return " ".join(part.partition("=")[0].split()[-1] for part in listed)


def _functions(module: object, ufunc: type) -> Iterator[tuple[str, str]]:
    for name in dir(module):
        value = getattr(module, name)
        if name.startswith("_") or isinstance(value, type) or not callable(value):
            continue
        if isinstance(value, ufunc):
            yield name, "ufunc"
            continue
        try:
            parameters = inspect.signature(value).parameters.values()
        except (TypeError, ValueError):
            yield name, "*args **kwargs"
            continue
        yield name, " ".join(_STARS.get(p.kind, "") + p.name for p in parameters)


if __name__ == "__main__":
    FILE.write_text("\n".join(of_cupy()) + "\n")
