"""Bits, and divisors of whole numbers."""

from typing import TYPE_CHECKING, Any

from distgrad import ops
from distgrad.backend.dtypes import result_type
from distgrad.tensor.methods.array import OfArray
from distgrad.tensor.operands import raw

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Integers"]


class Integers(OfArray):
    """Functions of whole numbers, some of truth values, too; the other operand may be a number."""

    __slots__ = ()

    def bitwise_and(self, other: Any) -> "Tensor":
        """Return the bits that are set in both."""
        return self._bits("bitwise_and", ops.bitwise_and, other)

    def bitwise_or(self, other: Any) -> "Tensor":
        """Return the bits that are set in one of both, or in both."""
        return self._bits("bitwise_or", ops.bitwise_or, other)

    def bitwise_xor(self, other: Any) -> "Tensor":
        """Return the bits that are set in exactly one of both."""
        return self._bits("bitwise_xor", ops.bitwise_xor, other)

    def bitwise_not(self) -> "Tensor":
        """Return the other bits; of truth values the opposite."""
        self._only_whole("bitwise_not", self, truth=True)
        return self._apply(ops.invert, self)

    def bitwise_left_shift(self, other: Any) -> "Tensor":
        """Return the bits moved to the left: times two to the power of ``other``."""
        return self._bits("bitwise_left_shift", ops.left_shift, other, truth=False)

    def bitwise_right_shift(self, other: Any) -> "Tensor":
        """Return the bits moved to the right: over two to the power of ``other``, rounded down."""
        return self._bits("bitwise_right_shift", ops.right_shift, other, truth=False)

    def gcd(self, other: Any) -> "Tensor":
        """Return the greatest common divisors."""
        return self._divisors(ops.gcd, other)

    def lcm(self, other: Any) -> "Tensor":
        """Return the least common multiples."""
        return self._divisors(ops.lcm, other)

    def _divisors(self, op: ops.Op, other: Any) -> "Tensor":
        self._array(op.name, other)
        return self._bits(op.name, op, other, truth=False)

    def __lshift__(self, other: Any) -> "Tensor":
        return self.bitwise_left_shift(other)

    def __rlshift__(self, other: Any) -> "Tensor":
        return self._bits("bitwise_left_shift", ops.left_shift, other, False, reflected=True)

    def __rshift__(self, other: Any) -> "Tensor":
        return self.bitwise_right_shift(other)

    def __rrshift__(self, other: Any) -> "Tensor":
        return self._bits("bitwise_right_shift", ops.right_shift, other, False, reflected=True)

    def _bits(
        self, name: str, op: ops.Op, other: Any, truth: bool = True, reflected: bool = False
    ) -> "Tensor":
        self._only_whole(name, other, truth)
        return self._pair(op, other, reflected=reflected)

    def _only_whole(self, name: str, other: Any, truth: bool) -> None:
        if not hasattr(other, "dtype") and not isinstance(other, int | float):
            return  # refused as an operand
        dtype = result_type(raw(self), raw(other))
        if dtype.kind not in ("biu" if truth else "iu"):
            raise RuntimeError(
                f"{name}() takes whole numbers{' or truth values' if truth else ''}, not {dtype}; "
                "convert with .to()"
            )
