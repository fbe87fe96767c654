"""Tensors of equally spaced numbers."""

import math
from typing import Any

import numpy as np

from distgrad.backend import Array, to_host
from distgrad.backend.dtypes import DEFAULT_FLOAT, DType, data_type, is_floating
from distgrad.tensor import Tensor
from distgrad.tensor.device import made_on, placed
from distgrad.tensor.operands import raw
from distgrad.tensor.values import cast, fitting

__all__ = ["arange", "linspace", "logspace"]


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a Tensor of equally spaced values, ``end`` not included.

    Args:
        start: The first one; given alone, it is ``end``, and the first one is 0.
        end: Where the values end.
        step: The distance of neighbours; a negative one counts down.
        dtype: The data type. Default: int64 where all arguments are integers, else float32.
        device: Where it lies. Default: ``"cpu"``.
        requires_grad: As in `Tensor`.

    Raises:
        RuntimeError: If the step is 0 or leads away from ``end``, or if a bound is not finite.

    Example:
        >>> arange(4.0)
        tensor([0., 1., 2., 3.])
    """
    if end is None:
        start, end = 0, start
    start, end, step = (_number(value) for value in (start, end, step))
    if dtype is None:
        floating = any(isinstance(value, float) for value in (start, end, step))
        dtype = DEFAULT_FLOAT if floating else np.int64
    wanted = data_type(dtype)
    _check_type("arange", wanted)
    if wanted == np.int64:
        start, end, step = (fitting(value, wanted) for value in (start, end, step))
    if not (math.isfinite(start) and math.isfinite(end)) or not step or (end - start) / step < 0:
        raise RuntimeError(
            f"arange() goes from start to end, both finite, by steps towards end, not of 0; got "
            f"start={start}, end={end}, step={step}"
        )
    count = math.ceil((end - start) / step)
    if not is_floating(wanted):  # whole steps, and then as many bits as the data type has
        start, step = int(start), int(step)

    def values(xp: Any) -> Array:
        return cast(start + step * xp.arange(count), wanted)

    return Tensor(made_on(device, values), requires_grad)


def _number(value: Any) -> Any:
    value = raw(value)
    if hasattr(value, "dtype") and not value.ndim:
        value = to_host(value).item()
    if not isinstance(value, int | float):
        raise TypeError(f"a range is given by numbers, or Tensors of no axes, got {value!r:.60}")
    return value


def _check_type(name: str, dtype: DType) -> None:
    if dtype.kind == "b":
        raise TypeError(f"{name}() makes numbers, not truth values; compare them with others")


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a Tensor of ``steps`` equally spaced values from ``start`` to ``end``, both included.

    Args:
        start: The first value.
        end: The last one.
        steps: How many.
        dtype: The data type. Default: float32.
        device: Where it lies. Default: ``"cpu"``.
        requires_grad: As in `Tensor`.

    Raises:
        RuntimeError: If ``steps`` is negative.

    Example:
        >>> linspace(0, 1, 5)
        tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    wanted = DEFAULT_FLOAT if dtype is None else data_type(dtype)
    values = cast(_spaced("linspace", start, end, steps, wanted), wanted)
    return Tensor(placed(values, device), requires_grad)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a Tensor of powers of ``base`` with equally spaced exponents; see `linspace`.

    Example:
        >>> logspace(0, 2, 3)
        tensor([  1.,  10., 100.])
    """
    wanted = DEFAULT_FLOAT if dtype is None else data_type(dtype)
    with np.errstate(all="ignore"):
        values = np.power(float(base), _spaced("logspace", start, end, steps, wanted))
        return Tensor(placed(values.astype(wanted), device), requires_grad)


def _spaced(name: str, start: Any, end: Any, steps: int, dtype: DType) -> Array:
    """Return equally spaced numbers in float64, the second half counted from the end."""
    _check_type(name, dtype)
    start, end = (fitting(_number(value), dtype) for value in (start, end))
    if not hasattr(steps, "__index__"):
        raise TypeError(f"{name}(): steps must be an integer, got {steps!r:.60}")
    if steps < 0:
        raise RuntimeError(f"{name}() makes steps=0, 1 or more values, got {steps}")
    if steps == 1:
        return np.array([start], np.float64)
    place = np.arange(steps)
    step = (end - start) / max(steps - 1, 1)
    return np.where(place < steps // 2, start + step * place, end - step * (steps - 1 - place))
