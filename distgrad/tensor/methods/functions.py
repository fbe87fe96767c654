"""Functions of the elements whose results are of floating-point type."""

from typing import TYPE_CHECKING

from distgrad import ops
from distgrad.tensor.methods.array import OfArray

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Functions"]


class Functions(OfArray):
    """Exponentials, logarithms, roots, angles; integers become float32 first."""

    __slots__ = ()

    def exp(self) -> "Tensor":
        """Return e to the power of each element."""
        return self._apply(ops.exp, self._floating())

    def exp2(self) -> "Tensor":
        """Return 2 to the power of each element."""
        return self._apply(ops.exp2, self._floating())

    def expm1(self) -> "Tensor":
        """Return ``exp(x) - 1``, exact for small elements."""
        return self._apply(ops.expm1, self._floating())

    def log(self) -> "Tensor":
        """Return the natural logarithms."""
        return self._apply(ops.log, self._floating())

    def log2(self) -> "Tensor":
        """Return the logarithms to base 2."""
        return self._apply(ops.log2, self._floating())

    def log10(self) -> "Tensor":
        """Return the logarithms to base 10."""
        return self._apply(ops.log10, self._floating())

    def log1p(self) -> "Tensor":
        """Return ``log(1 + x)``, exact for small elements."""
        return self._apply(ops.log1p, self._floating())

    def sqrt(self) -> "Tensor":
        """Return the square roots."""
        return self._apply(ops.sqrt, self._floating())

    def rsqrt(self) -> "Tensor":
        """Return ``1 / sqrt(x)`` of each element."""
        return self._apply(ops.rsqrt, self._floating())

    def reciprocal(self) -> "Tensor":
        """Return ``1 / x`` of each element."""
        return self._apply(ops.reciprocal, self._floating())

    def sin(self) -> "Tensor":
        """Return the sines."""
        return self._apply(ops.sin, self._floating())

    def cos(self) -> "Tensor":
        """Return the cosines."""
        return self._apply(ops.cos, self._floating())

    def tan(self) -> "Tensor":
        """Return the tangents."""
        return self._apply(ops.tan, self._floating())

    def asin(self) -> "Tensor":
        """Return the angles whose sines are the elements."""
        return self._apply(ops.arcsin, self._floating())

    def acos(self) -> "Tensor":
        """Return the angles whose cosines are the elements."""
        return self._apply(ops.arccos, self._floating())

    def atan(self) -> "Tensor":
        """Return the angles whose tangents are the elements."""
        return self._apply(ops.arctan, self._floating())

    def sinh(self) -> "Tensor":
        """Return the hyperbolic sines."""
        return self._apply(ops.sinh, self._floating())

    def cosh(self) -> "Tensor":
        """Return the hyperbolic cosines."""
        return self._apply(ops.cosh, self._floating())

    def tanh(self) -> "Tensor":
        """Return the hyperbolic tangents."""
        return self._apply(ops.tanh, self._floating())

    def sigmoid(self) -> "Tensor":
        """Return ``1 / (1 + exp(-x))`` of each element."""
        return self._apply(ops.sigmoid, self._floating())

    def erf(self) -> "Tensor":
        """Return the error function of each element."""
        return self._apply(ops.erf, self._floating())

    def erfc(self) -> "Tensor":
        """Return ``1 - erf(x)``, exact far to the right too."""
        return self._apply(ops.erfc, self._floating())
