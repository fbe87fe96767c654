"""The Python operators of `Tensor`: arithmetic, products and comparisons."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from distgrad import ops

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["NUMBERS", "Arithmetic", "pair"]

NUMBERS = (float, int, bool)
"""What does not widen the other operand."""


@cache
def pair(op: ops.Op, floating: bool = False) -> "Callable[[Any, Any], Tensor]":
    """Return an op of two operands, behind PyTorch's promotion of their data types.

    Most calls leave nothing to promote. They cost little more than that insight, which is why there
    is a function for each op: one for all would stand between an operator and its op.

    Args:
        op: The op.
        floating: Whether integers become floats first.

    Returns:
        A function of two Tensors, arrays or numbers, of which one is a Tensor.
    """

    def run(a: Any, b: Any) -> "Tensor":
        if isinstance(a, Arithmetic):
            dtype = a.data.dtype
            if isinstance(b, Arithmetic):
                if dtype is b.data.dtype and (not floating or dtype.kind == "f"):
                    return op.call(a, b)  # type: ignore[no-any-return]
            elif type(b) in NUMBERS and dtype.kind == "f":
                return op.call(a, b)  # type: ignore[no-any-return]
        return Arithmetic._binary(op, a, b, floating)

    return run


def _both_ways(op: ops.Op, floating: bool = False) -> "tuple[Callable[[Any, Any], Tensor], ...]":
    """Return the operator with the Tensor on the left, and that with it on the right."""
    run = pair(op, floating)

    def reflected(self: Any, other: Any) -> "Tensor":
        return run(other, self)

    return run, reflected


class Arithmetic:
    """Operators; a number or array on the other side is a constant."""

    __slots__ = ()
    data: Any
    _apply: "Callable[..., Tensor]"
    _binary: "Callable[..., Tensor]"
    _product: "Callable[..., Tensor]"

    __hash__ = object.__hash__

    __add__, __radd__ = _both_ways(ops.add)
    __sub__, __rsub__ = _both_ways(ops.subtract)
    __mul__, __rmul__ = _both_ways(ops.multiply)
    __truediv__, __rtruediv__ = _both_ways(ops.divide, floating=True)
    __pow__, __rpow__ = _both_ways(ops.power)
    __and__ = __rand__ = pair(ops.bitwise_and)
    __or__ = __ror__ = pair(ops.bitwise_or)
    __xor__ = __rxor__ = pair(ops.bitwise_xor)
    __eq__ = pair(ops.equal)  # type: ignore[assignment]  # object's gives a bool
    __ne__ = pair(ops.not_equal)  # type: ignore[assignment]
    __lt__ = pair(ops.less)
    __le__ = pair(ops.less_equal)
    __gt__ = pair(ops.greater)
    __ge__ = pair(ops.greater_equal)

    def __matmul__(self, other: Any) -> "Tensor":
        return self._product(ops.matmul, self, other)

    def __rmatmul__(self, other: Any) -> "Tensor":
        return self._product(ops.matmul, other, self)

    def __invert__(self) -> "Tensor":
        return self._apply(ops.invert, self)

    def __neg__(self) -> "Tensor":
        return self._apply(ops.negative, self)

    def __pos__(self) -> "Tensor":
        return self  # type: ignore[return-value]  # nothing but Tensor has these methods

    def __abs__(self) -> "Tensor":
        return self._apply(ops.absolute, self)
