"""PyTorch's promotion of data types, in front of operations on several operands."""

from typing import Any

import numpy as np

from distgrad.backend.dtypes import DEFAULT_FLOAT, DType, is_floating, result_type
from distgrad.ops import Op
from distgrad.tensor.arithmetic import NUMBERS, Arithmetic
from distgrad.tensor.calls import apply
from distgrad.tensor.operands import raw
from distgrad.tensor.tensor import Tensor

__all__ = ["binary", "product", "promoted"]


def binary(op: Op, a: Any, b: Any, floating: bool = False) -> Any:
    """Run an op of two operands after PyTorch's promotion of their data types.

    Args:
        op: The op.
        a: A Tensor, array or number.
        b: The same; one of the two is a Tensor.
        floating: Whether integers become floats first.
    """
    a, b = _operand(a), _operand(b)
    if a is NotImplemented or b is NotImplemented:
        return NotImplemented  # so that Python raises its TypeError, or compares identities
    dtype = result_type(raw(a), raw(b))
    if floating and not is_floating(dtype):
        dtype = DEFAULT_FLOAT
    return apply(op, _converted(a, dtype), _converted(b, dtype))


def _converted(operand: Any, dtype: DType) -> Any:
    """Return a Tensor in a data type; a whole number that does not fit in it wraps around."""
    if isinstance(operand, Tensor):
        return operand if operand.data.dtype == dtype else operand.to(dtype)
    if dtype.kind in "iu" and dtype.itemsize < 8:
        limits = np.iinfo(dtype)
        if not limits.min <= operand <= limits.max:
            return np.int64(operand).astype(dtype)
    return operand


def product(op: Op, a: Any, b: Any) -> Any:
    """Run an op of two arrays of one data type: a product is never widened in silence.

    Raises:
        RuntimeError: If the data types differ or are bool, or the shapes do not fit.
    """
    a, b = _operand(a), _operand(b)
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        return NotImplemented
    if a.data.dtype.kind == "b":
        raise RuntimeError(f"{op.name}() takes numbers, not truth values; convert with .to()")
    if a.data.dtype != b.data.dtype:
        raise RuntimeError(
            f"{op.name}() needs operands of one data type, got {a.dtype} and {b.dtype}; "
            "convert one of them with .to()"
        )
    try:
        return apply(op, a, b)
    except ValueError:
        raise RuntimeError(
            f"{op.name}() cannot multiply shapes {a.shape} and {b.shape}: the last axis of the "
            "first must be as long as the last but one of the second, or the only one; leading "
            "axes broadcast; neither may be 0-d"
        ) from None


def promoted(*operands: Any) -> list[Any]:
    """Give operands one data type, by PyTorch's promotion; None stays None.

    Args:
        *operands: Tensors, arrays, numbers or None.

    Returns:
        Tensors, and NumPy scalars in place of numbers.

    Raises:
        TypeError: If an operand is something else.
    """
    if _alike(operands):
        return list(operands)
    given = [x if x is None else _operand(x) for x in operands]
    for x, operand in zip(given, operands, strict=True):
        if x is NotImplemented:
            raise TypeError(
                f"operands must be Tensors, arrays or numbers, got {type(operand).__name__}"
            )
    dtype = result_type(*[raw(x) for x in given if x is not None])
    return [
        x if x is None else x.to(dtype) if isinstance(x, Tensor) else dtype.type(x) for x in given
    ]


def _alike(operands: tuple[Any, ...]) -> bool:
    """Tell whether there are only Tensors of one data type."""
    dtype = operands[0].data.dtype if isinstance(operands[0], Tensor) else None
    return all(isinstance(x, Tensor) and x.data.dtype is dtype for x in operands)


def _operand(value: Any) -> Any:
    """Return a Tensor, or a Python number: only those do not widen the other operand."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if type(value) in NUMBERS:
        return value
    if isinstance(value, int | float):  # a named number: NumPy would not take it for a plain one
        return int(value) if isinstance(value, int) else float(value)
    return Tensor(value) if hasattr(value, "dtype") else NotImplemented


Arithmetic._binary = staticmethod(binary)
Tensor._product = staticmethod(product)
Tensor._promoted = staticmethod(promoted)
