"""Bounds and roundings: functions of the elements that have kinks or steps."""

from typing import TYPE_CHECKING, Any

from distgrad import ops
from distgrad.backend.bfloat16 import limits
from distgrad.backend.dtypes import is_floating
from distgrad.tensor.methods.array import OfArray

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Steps"]


class Steps(OfArray):
    """Extremes of two operands, bounds, signs, whole parts."""

    __slots__ = ()

    def maximum(self, other: Any) -> "Tensor":
        """Return the larger one of each two elements, nan if one is; equal ones share."""
        return self._extreme(ops.maximum, other)

    def minimum(self, other: Any) -> "Tensor":
        """Return the smaller one of each two elements, nan if one is; equal ones share."""
        return self._extreme(ops.minimum, other)

    def fmax(self, other: Any) -> "Tensor":
        """Return the larger one of each two elements, the number if one is nan."""
        return self._extreme(ops.fmax, other)

    def fmin(self, other: Any) -> "Tensor":
        """Return the smaller one of each two elements, the number if one is nan."""
        return self._extreme(ops.fmin, other)

    def _extreme(self, op: ops.Op, other: Any) -> "Tensor":
        if not hasattr(other, "dtype"):
            raise TypeError(
                f"{op.name}() takes two Tensors or arrays, got Tensor and {type(other).__name__}; "
                "clamp() takes numbers"
            )
        return self._pair(op, other)

    def clamp(self, min: Any = None, max: Any = None) -> "Tensor":
        """Return the elements with those outside ``min`` and ``max`` moved to these bounds."""
        if min is None and max is None:
            raise ValueError("clamp() needs min, max or both")
        return self._apply(ops.clip, *self._promoted(self, min, max))

    clip = clamp

    def clamp_min(self, min: Any) -> "Tensor":
        """Return the elements with those below ``min`` moved there."""
        return self.clamp(min=min)

    def clamp_max(self, max: Any) -> "Tensor":
        """Return the elements with those above ``max`` moved there."""
        return self.clamp(max=max)

    def relu(self) -> "Tensor":
        """Return the elements, with 0 in place of negative ones."""
        return self._apply(ops.relu, self._number("relu"))

    def sign(self) -> "Tensor":
        """Return -1, 0 or 1 for each element."""
        return self if self.dtype.kind == "b" else self._apply(ops.sign, self)  # type: ignore[return-value]

    sgn = sign

    def floor(self) -> "Tensor":
        """Return the elements rounded down."""
        return self._apply(ops.floor, self._number("floor"))

    def ceil(self) -> "Tensor":
        """Return the elements rounded up."""
        return self._apply(ops.ceil, self._number("ceil"))

    def trunc(self) -> "Tensor":
        """Return the elements rounded towards 0."""
        return self._apply(ops.trunc, self._number("trunc"))

    fix = trunc

    def round(self, *, decimals: int = 0) -> "Tensor":
        """Return the elements rounded to so many decimals; halves to the even neighbour."""
        self._number("round")
        if decimals and not is_floating(self.dtype):
            raise RuntimeError(f"round(): decimals={decimals} needs a floating-point tensor")
        return self._apply(ops.round, self, decimals=decimals)

    def frac(self) -> "Tensor":
        """Return what `trunc` takes off."""
        return self._apply(ops.frac, self._only_floating("frac"))

    def copysign(self, other: Any) -> "Tensor":
        """Return the absolute values with the signs of ``other``."""
        return self._pair(ops.copysign, other, floating=True)

    def heaviside(self, values: Any) -> "Tensor":
        """Return 0 for negative elements, 1 for positive ones, and ``values`` for 0."""
        if getattr(values, "dtype", None) != self.dtype:
            raise RuntimeError(
                f"heaviside() takes values of the data type {self.dtype}, got "
                f"{getattr(values, 'dtype', type(values).__name__)}; convert with .to()"
            )
        return self._apply(ops.heaviside, self, values)

    def nextafter(self, other: Any) -> "Tensor":
        """Return the next numbers on the way to ``other``."""
        self._only_floating("nextafter")
        return self._pair(ops.nextafter, other)

    def nan_to_num(
        self, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
    ) -> "Tensor":
        """Return the elements with numbers in place of nan and the infinities."""
        if not is_floating(self.dtype):
            return self._apply(ops.astype, self, dtype=self.dtype)
        if self.dtype.kind == "V":  # float32's largest number, rounded, is infinite
            largest = float(limits(self.dtype).max)
            posinf = largest if posinf is None else posinf
            neginf = -largest if neginf is None else neginf
        return self._apply(ops.nan_to_num, self, nan=nan or 0.0, posinf=posinf, neginf=neginf)
