"""PyTorch's rules for the data type of a result.

NumPy widens float32 with int64 to float64; PyTorch keeps float32: a wider category decides, and a
0-d array or a Python number cannot widen an array within its own category.
"""

from functools import cache, reduce
from typing import Any

import numpy as np

from distgrad.backend.bfloat16 import NAME, bfloat16

__all__ = [
    "DEFAULT_FLOAT",
    "DType",
    "data_type",
    "in_single",
    "is_floating",
    "promote",
    "result_type",
]

DType = np.dtype[Any]
DEFAULT_FLOAT: DType = np.dtype(np.float32)

_BOOL: DType = np.dtype(np.bool_)
_INTEGER: DType = np.dtype(np.int64)
_CATEGORY = {"b": 0, "i": 1, "u": 1, "f": 2, "V": 2}  # V: what NumPy did not define, bfloat16


def data_type(dtype: Any) -> DType:
    """Return NumPy's data type of this name, in the machine's byte order.

    Args:
        dtype: A data type, a type of NumPy or Python, or its name.

    Raises:
        TypeError: If it is none, or one that tensors do not hold.
        UsageError: If it is bfloat16, and ``ml_dtypes`` is not installed.

    Example:
        >>> data_type(float), data_type("int8")
        (dtype('float64'), dtype('int8'))
    """
    try:
        known = bfloat16() if isinstance(dtype, str) and dtype == NAME else dtype
        found = None if dtype is None else np.dtype(known)
    except TypeError:
        found = None
    if found is None:
        raise TypeError(
            f"{dtype!r:.60} is no data type; use one of distgrad's, such as distgrad.float32"
        )
    if found.kind == "c":
        raise TypeError(
            f"tensors hold real numbers, not {found}; keep the real and the imaginary part in two "
            "tensors"
        )
    if found.kind == "V" and found.name == NAME:
        return np.dtype(bfloat16())  # which from now on is used
    if found.kind not in _CATEGORY or found.kind == "V" or found.itemsize > 8:
        raise TypeError(
            "tensors hold truth values, integers and floating-point numbers of up to 64 bits, not "
            f"{found}"
        )
    native: DType = found if found.isnative else found.newbyteorder("=")
    return native


def is_floating(dtype: DType) -> bool:
    """Tell whether the data type is a floating-point one, so that it can carry a gradient."""
    return dtype.kind in "fV"


def in_single(x: Any) -> Any:
    """Return an array or Tensor of bfloat16 in float32, for sums that need more digits."""
    return x.astype(DEFAULT_FLOAT) if x.dtype.kind == "V" else x


def promote(a: DType, b: DType) -> DType:
    """Return the type that holds both: the wider one, or that of the higher category.

    Of the two floating-point types of 16 bits neither holds the other: float32 holds both.

    Raises:
        RuntimeError: If there is none: of uint64 and a signed integer.

    Example:
        >>> promote(np.dtype("float32"), np.dtype("int64"))
        dtype('float32')
    """
    if a.kind == b.kind or _CATEGORY[a.kind] == _CATEGORY[b.kind]:
        if a.kind != b.kind and "V" in (a.kind, b.kind):
            other = a if b.kind == "V" else b
            return other if other.itemsize > 2 else DEFAULT_FLOAT
        wider = np.promote_types(a, b)
        if _CATEGORY[wider.kind] > _CATEGORY[a.kind]:
            raise RuntimeError(
                f"no integer type holds {a} and {b}; convert one of the operands with .to()"
            )
        return wider
    return a if _CATEGORY[a.kind] > _CATEGORY[b.kind] else b


def result_type(*operands: Any) -> DType:
    """Return the data type of an operation on arrays and Python numbers, as PyTorch defines it.

    Example:
        >>> result_type(np.zeros(3, np.float32), np.float64(2.0), 3.5)
        dtype('float32')
        >>> result_type(np.arange(3), 0.5)
        dtype('float32')
    """
    return _result_type(
        tuple([(x.dtype, x.ndim > 0) if hasattr(x, "dtype") else type(x) for x in operands])
    )


@cache  # the search costs more than a small operation, and there are few kinds of operands
def _result_type(kinds: tuple[type | tuple[DType, bool], ...]) -> DType:
    arrays = [kind for kind in kinds if isinstance(kind, tuple)]
    numbers = [_of_number(kind) for kind in kinds if not isinstance(kind, tuple)]
    groups = (
        [dtype for dtype, dimensioned in arrays if dimensioned],
        [dtype for dtype, dimensioned in arrays if not dimensioned],
        numbers,
    )
    widest = [reduce(promote, group) for group in groups if group]
    result = widest[0]
    for dtype in widest[1:]:
        if _CATEGORY[dtype.kind] > _CATEGORY[result.kind]:
            result = dtype
    return result


def _of_number(kind: type) -> DType:
    if issubclass(kind, bool):
        return _BOOL
    return _INTEGER if issubclass(kind, int) else DEFAULT_FLOAT
