"""Every kernel against its reference in float64, with poisoned outputs and twice."""

import sys
from functools import cache
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.gpu.sizes import SIZES

__all__ = ["LIMITS", "check_all", "distance"]

LIMITS = {"bfloat16": 2e-2, "float16": 3e-3, "float32": 1e-5, "float64": 1e-13}
"""Of the distance to the reference, relative to the norm of that."""


def check_all(end: float) -> dict[str, Any]:
    """Return the distance of each kernel, by data type, and which are too large."""
    sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))
    from helpers.kernel_cases import all_cases, types_of

    found: dict[str, dict[str, float]] = {}
    wrong = []
    for large in (False, True)[: 1 + SIZES.with_large]:
        for case in all_cases(large):
            if monotonic() > end:
                return {"ok": False, "error": "out of time", "distances": found, "wrong": wrong}
            for dtype in types_of(case):
                far, same = distance(case, dtype)
                worst = found.setdefault(case.kernel.name, {})
                worst[dtype] = max(worst.get(dtype, 0.0), far)
                if not far <= LIMITS[dtype] or not same:
                    wrong.append(f"{case}, {dtype}: {far:.1e}{'' if same else ', not repeated'}")
    return {"ok": not wrong, "distances": found, "wrong": wrong}


def distance(case: Any, dtype: str) -> tuple[float, bool]:
    """Return how far a kernel is from its reference, and whether it gives the same bits again."""
    from helpers.kernel_cases import arguments, compared

    given = [
        x.astype(np.float64) if getattr(x, "dtype", None) == dtype else x
        for x in arguments(case, dtype)
    ]
    with np.errstate(all="ignore"):
        wanted = compared(case, given, case.kernel.reference(np, *given, **case.attributes))
    first, second = _computed(case, dtype), _computed(case, dtype)
    far = max(_relative(a, b) for a, b in zip(first, wanted, strict=True))
    return far, all(a.tobytes() == b.tobytes() for a, b in zip(first, second, strict=True))


def _computed(case: Any, dtype: str) -> list[Any]:
    import cupy
    from helpers.kernel_cases import arguments, compared

    from distgrad.backend.kernels.cuda import load_column

    given = tuple([_moved(x) for x in arguments(case, dtype)])
    attributes = {name: _moved(value) for name, value in case.attributes.items()}
    result = load_column()[case.kernel.name](_poisoned(), *given, **attributes)
    assert result is not NotImplemented, str(case)
    return [cupy.asnumpy(x) for x in compared(case, given, result)]


def _moved(value: Any) -> Any:
    import cupy

    return cupy.asarray(value) if isinstance(value, np.ndarray) else value


@cache
def _poisoned() -> ModuleType:
    """Return CuPy, whose new arrays hold nan: one module, whose kernels are compiled once."""
    import cupy

    def empty(*args: Any, **options: Any) -> Any:
        array = cupy.empty(*args, **options)
        array.reshape(-1).view(cupy.uint8).fill(0xFF)
        return array

    module = ModuleType("poisoned_cupy")
    module.__dict__.update(vars(cupy))
    module.__dict__.update(empty=empty, empty_like=lambda x: empty(x.shape, x.dtype))
    return module


def _relative(ours: Any, theirs: Any) -> float:
    theirs = np.asarray(theirs, np.float64)
    apart = np.linalg.norm((np.asarray(ours, np.float64) - theirs).ravel())
    return float(apart / max(np.linalg.norm(theirs.ravel()), 1e-3))
