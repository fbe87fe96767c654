"""Functions of the elements whose results are of floating-point type."""

import math
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

    arcsin = asin

    def acos(self) -> "Tensor":
        """Return the angles whose cosines are the elements."""
        return self._apply(ops.arccos, self._floating())

    arccos = acos

    def atan(self) -> "Tensor":
        """Return the angles whose tangents are the elements."""
        return self._apply(ops.arctan, self._floating())

    arctan = atan

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

    def asinh(self) -> "Tensor":
        """Return the numbers whose hyperbolic sines are the elements."""
        return self._apply(ops.arcsinh, self._floating())

    arcsinh = asinh

    def acosh(self) -> "Tensor":
        """Return the numbers from 0 on whose hyperbolic cosines are the elements."""
        return self._apply(ops.arccosh, self._floating())

    arccosh = acosh

    def atanh(self) -> "Tensor":
        """Return the numbers whose hyperbolic tangents are the elements."""
        return self._apply(ops.arctanh, self._floating())

    arctanh = atanh

    def sinc(self) -> "Tensor":
        """Return ``sin(pi x) / (pi x)`` of each element, 1 at 0."""
        return self._apply(ops.sinc, self._floating())

    def deg2rad(self) -> "Tensor":
        """Return angles in degrees as radians."""
        return self._apply(ops.multiply, self._floating(), math.pi / 180)

    def rad2deg(self) -> "Tensor":
        """Return angles in radians as degrees."""
        return self._apply(ops.multiply, self._floating(), 180 / math.pi)

    def angle(self) -> "Tensor":
        """Return 0, or pi for negative elements."""
        return self._apply(ops.angle, self._floating())

    def logit(self, eps: float | None = None) -> "Tensor":
        """Return ``log(x / (1 - x))`` of each element, moved between eps and 1 - eps first."""
        x = self._floating()
        return self._apply(ops.logit, x if eps is None or eps < 0 else x.clamp(eps, 1 - eps))
