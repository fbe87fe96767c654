"""Arithmetic under PyTorch's names."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.backend import to_host
from distgrad.backend.dtypes import is_floating, result_type
from distgrad.tensor.methods.array import OfArray
from distgrad.tensor.operands import raw

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["ArithmeticMethods"]

_QUOTIENTS = {None: ops.divide, "floor": ops.floor_divide, "trunc": ops.trunc_divide}


class ArithmeticMethods(OfArray):
    """Sums, products, quotients, powers; the other operand is a Tensor, an array or a number."""

    __slots__ = ()

    def add(self, other: Any, *, alpha: float = 1) -> "Tensor":
        """Return the sum with ``alpha * other``."""
        return self._pair(ops.add, self._scaled("add", other, alpha))

    def sub(self, other: Any, *, alpha: float = 1) -> "Tensor":
        """Return the difference from ``alpha * other``."""
        self._refuse_truth("sub", other)
        return self._pair(ops.subtract, self._scaled("sub", other, alpha))

    subtract = sub

    def rsub(self, other: Any, *, alpha: float = 1) -> "Tensor":
        """Return ``other - alpha * self``."""
        self._refuse_truth("rsub", other)
        return self._scaled("rsub", self, alpha).__rsub__(other)  # type: ignore[no-any-return]

    def _refuse_truth(self, name: str, other: Any) -> None:
        if self.dtype.kind == "b" or getattr(other, "dtype", np.dtype(type(other))).kind == "b":
            raise RuntimeError(
                f"{name}() takes numbers, not truth values; use ~ or ^, or convert with .to()"
            )

    def _scaled(self, name: str, other: Any, alpha: Any) -> Any:
        """Return ``alpha * other``, in whole numbers where the two operands are whole."""
        if type(alpha) is int and alpha == 1:
            return other
        dtype = result_type(raw(self), raw(other))
        if isinstance(alpha, float) and not is_floating(dtype):
            raise RuntimeError(
                f"{name}(): the factor {alpha} must be a whole number for operands of type {dtype}"
            )
        if isinstance(alpha, bool) and dtype.kind != "b":
            raise RuntimeError(
                f"{name}(): the factor {alpha} must be a number for operands of type {dtype}"
            )
        return (other.astype(dtype) if hasattr(other, "dtype") else other) * alpha

    def mul(self, other: Any) -> "Tensor":
        """Return the product with ``other``."""
        return self._pair(ops.multiply, other)

    multiply = mul

    def div(self, other: Any, *, rounding_mode: str | None = None) -> "Tensor":
        """Return the quotient, as it is or rounded; see `distgrad.div`."""
        if rounding_mode not in _QUOTIENTS:
            raise ValueError(
                f'div(): rounding_mode must be None, "trunc" or "floor", got {rounding_mode!r}'
            )
        if rounding_mode is None:
            return self._pair(ops.divide, other, floating=True)
        return self._whole(_QUOTIENTS[rounding_mode], other)

    divide = true_divide = div

    def floor_divide(self, other: Any) -> "Tensor":
        """Return the quotient rounded down."""
        return self._whole(ops.floor_divide, other)

    def remainder(self, other: Any) -> "Tensor":
        """Return what the quotient rounded down leaves: its sign is that of ``other``."""
        return self._whole(ops.remainder, other)

    def fmod(self, other: Any) -> "Tensor":
        """Return what the quotient rounded towards 0 leaves: its sign is that of the tensor."""
        return self._whole(ops.fmod, other)

    def __floordiv__(self, other: Any) -> "Tensor":
        return self._whole(ops.floor_divide, other)

    def __rfloordiv__(self, other: Any) -> "Tensor":
        return self._whole(ops.floor_divide, other, reflected=True)

    def __mod__(self, other: Any) -> "Tensor":
        return self._whole(ops.remainder, other)

    def __rmod__(self, other: Any) -> "Tensor":
        return self._whole(ops.remainder, other, reflected=True)

    def _whole(self, op: ops.Op, other: Any, reflected: bool = False) -> "Tensor":
        """Divide with a whole quotient: whole numbers have none by 0."""
        if hasattr(other, "dtype") or isinstance(other, int | float):
            dtype = result_type(raw(self), raw(other))
            if dtype.kind == "b":
                raise RuntimeError(
                    f"{op.name}() takes numbers, not truth values; convert with .to()"
                )
            if not is_floating(dtype) and not np.all(to_host(raw(self if reflected else other))):
                raise RuntimeError(
                    f"{op.name}() of whole numbers by 0; convert with .to() to a floating-point "
                    "type, where the result is infinite or nan"
                )
        return self._pair(op, other, reflected=reflected)

    def pow(self, exponent: Any) -> "Tensor":
        """Return the elements to the power of ``exponent``."""
        return self._pair(ops.power, exponent)

    def float_power(self, exponent: Any) -> "Tensor":
        """Return the elements to the power of ``exponent``, in float64."""
        if hasattr(exponent, "dtype"):
            exponent = self._apply(ops.astype, exponent, dtype=np.dtype(np.float64))
        return self.to(np.float64).pow(exponent)

    def ldexp(self, other: Any) -> "Tensor":
        """Return the elements times two to the power of ``other``."""
        self._array("ldexp", other)
        return self._pair(ops.multiply, self._binary(ops.power, 2.0, other))

    def square(self) -> "Tensor":
        """Return the squares; of truth values, whole numbers."""
        return self._apply(ops.square, self.to(np.int64) if self.dtype.kind == "b" else self)

    def neg(self) -> "Tensor":
        """Return the elements with the other sign."""
        return self._apply(ops.negative, self._number("neg"))

    negative = neg

    def positive(self) -> "Tensor":
        """Return the tensor itself, refusing one of truth values."""
        return self._number("positive")

    def abs(self) -> "Tensor":
        """Return the absolute values."""
        return self._apply(ops.absolute, self._number("abs"))

    absolute = abs

    def addcmul(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> "Tensor":
        """Return the sum with ``value * tensor1 * tensor2``."""
        return self._pair(ops.add, self._scaled("addcmul", tensor1 * tensor2, value))

    def addcdiv(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> "Tensor":
        """Return the sum with ``value * tensor1 / tensor2``."""
        if not any(is_floating(x.dtype) for x in (tensor1, tensor2)):
            raise RuntimeError(
                f"addcdiv() divides floating-point tensors, got {tensor1.dtype} and "
                f"{tensor2.dtype}; convert with .to()"
            )
        return self._pair(ops.add, self._scaled("addcdiv", tensor1 / tensor2, value))

    def lerp(self, end: Any, weight: Any) -> "Tensor":
        """Return the tensor moved towards ``end`` by ``weight`` of the way."""
        for name, other in (("end", end), ("weight", weight)):
            if getattr(other, "dtype", self.dtype) != self.dtype:
                raise RuntimeError(
                    f"lerp(): {name} must have the data type {self.dtype} of the start, got "
                    f"{other.dtype}; convert with .to()"
                )
        self._only_floating("lerp")
        return self._apply(ops.lerp, self, end, weight)
