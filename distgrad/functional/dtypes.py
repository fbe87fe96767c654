"""What is said of data types and of Tensors, without computing anything."""

from typing import Any

import numpy as np

from distgrad.backend.bfloat16 import limits
from distgrad.backend.dtypes import (
    DEFAULT_FLOAT,
    DType,
    data_type,
    is_floating,
    promote,
)
from distgrad.backend.dtypes import result_type as type_of_operation
from distgrad.creation import as_tensor
from distgrad.tensor import Tensor
from distgrad.tensor.operands import raw

__all__ = [
    "can_cast",
    "finfo",
    "get_default_dtype",
    "iinfo",
    "is_floating_point",
    "is_tensor",
    "numel",
    "promote_types",
    "result_type",
    "set_default_dtype",
]


def is_tensor(obj: Any) -> bool:
    """Tell whether an object is a Tensor.

    Example:
        >>> is_tensor(as_tensor(1.0)), is_tensor(1.0)
        (True, False)
    """
    return isinstance(obj, Tensor)


def numel(input: Any) -> int:
    """Return the number of elements.

    Example:
        >>> numel(as_tensor([[1, 2], [3, 4]]))
        4
    """
    return as_tensor(input).numel()


def is_floating_point(input: Any) -> bool:
    """Tell whether the elements are floating-point numbers.

    Example:
        >>> is_floating_point(as_tensor([1.0]))
        True
    """
    return as_tensor(input).is_floating_point()


def promote_types(type1: Any, type2: Any) -> DType:
    """Return the smallest data type that holds both, by PyTorch's rules.

    Raises:
        RuntimeError: If no integer type holds both: one of them is uint64 and the other is signed.

    Example:
        >>> promote_types(np.int64, np.float16), promote_types(np.uint8, np.int8)
        (dtype('float16'), dtype('int16'))
    """
    return promote(data_type(type1), data_type(type2))


def result_type(tensor1: Any, tensor2: Any) -> DType:
    """Return the data type of an operation on two Tensors or numbers.

    A number, or a Tensor of no axes, does not widen a Tensor within its own category (truth
    values, integers, floating-point numbers).

    Example:
        >>> result_type(as_tensor([1, 2]), 1.0)
        dtype('float32')
    """
    return type_of_operation(raw(tensor1), raw(tensor2))


def can_cast(from_: Any, to: Any) -> bool:
    """Tell whether a result of one data type may be stored in another.

    It may not be if that takes a step down, from floating-point numbers over integers to truth
    values.

    Example:
        >>> can_cast(np.float64, np.float16), can_cast(np.float16, np.int64)
        (True, False)
    """
    source, target = data_type(from_), data_type(to)
    if is_floating(target):
        return True
    return source.kind == "b" or (target.kind != "b" and not is_floating(source))


def get_default_dtype() -> DType:
    """Return the data type of Python's floats and of new Tensors: float32.

    Example:
        >>> get_default_dtype()
        dtype('float32')
    """
    return DEFAULT_FLOAT


def set_default_dtype(d: Any) -> None:
    """Accept float32, which is always the default.

    No result of distgrad depends on settings that its arguments do not show.

    Raises:
        RuntimeError: If it is another data type.

    Example:
        >>> set_default_dtype(np.float32)
    """
    if data_type(d) != DEFAULT_FLOAT:
        raise RuntimeError(
            f"the default data type is {DEFAULT_FLOAT}, and no setting; for {data_type(d)} pass "
            "dtype to the functions that make tensors, and convert models with model.to(dtype)"
        )


class finfo:  # noqa: N801  PyTorch's name, in lower case
    """The limits of a floating-point type, as Python's numbers.

    Attributes:
        bits: The bits of a number.
        dtype: The name of the type.
        eps: The distance of 1 to the next larger number.
        max: The largest number.
        min: The smallest one: ``-max``.
        tiny: The smallest positive number of full precision.
        smallest_normal: The same.
        resolution: The decimal digits that are kept, as a number.

    Args:
        type: The data type. Default: float32.

    Raises:
        TypeError: If it is not a floating-point type.

    Example:
        >>> finfo(np.float16).max
        65504.0
    """

    def __init__(self, type: Any = DEFAULT_FLOAT) -> None:
        dtype = data_type(type)
        if not is_floating(dtype):
            raise TypeError(f"finfo() takes a floating-point type, not {dtype}; use iinfo()")
        found = limits(dtype)
        self.dtype = dtype.name
        self.bits = int(found.bits)
        self.eps = float(found.eps)
        self.max = float(found.max)
        self.min = float(found.min)
        self.tiny = self.smallest_normal = float(found.smallest_normal)
        self.resolution = 10.0 ** -int(found.precision)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:  # noqa: N801  PyTorch's name, in lower case
    """The limits of an integer type.

    Attributes:
        bits: The bits of a number.
        dtype: The name of the type.
        max: The largest number.
        min: The smallest one.

    Args:
        type: The data type.

    Raises:
        TypeError: If it is not an integer type.

    Example:
        >>> iinfo(np.int8)
        iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, type: Any) -> None:
        dtype = data_type(type)
        if dtype.kind not in "iu":
            raise TypeError(f"iinfo() takes an integer type, not {dtype}; use finfo()")
        limits = np.iinfo(dtype)
        self.dtype = dtype.name
        self.bits = int(limits.bits)
        self.max = int(limits.max)
        self.min = int(limits.min)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
