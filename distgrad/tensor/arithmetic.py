"""The Python operators of `Tensor`: arithmetic, products and comparisons."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from distgrad import ops

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Arithmetic"]


class Arithmetic:
    """Operators; a number or array on the other side is a constant."""

    __slots__ = ()
    _apply: "Callable[..., Tensor]"
    _binary: "Callable[..., Tensor]"
    _product: "Callable[..., Tensor]"

    __hash__ = object.__hash__

    def __add__(self, other: Any) -> "Tensor":
        return self._binary(ops.add, self, other)

    def __radd__(self, other: Any) -> "Tensor":
        return self._binary(ops.add, other, self)

    def __sub__(self, other: Any) -> "Tensor":
        return self._binary(ops.subtract, self, other)

    def __rsub__(self, other: Any) -> "Tensor":
        return self._binary(ops.subtract, other, self)

    def __mul__(self, other: Any) -> "Tensor":
        return self._binary(ops.multiply, self, other)

    def __rmul__(self, other: Any) -> "Tensor":
        return self._binary(ops.multiply, other, self)

    def __truediv__(self, other: Any) -> "Tensor":
        return self._binary(ops.divide, self, other, floating=True)

    def __rtruediv__(self, other: Any) -> "Tensor":
        return self._binary(ops.divide, other, self, floating=True)

    def __pow__(self, other: Any) -> "Tensor":
        return self._binary(ops.power, self, other)

    def __rpow__(self, other: Any) -> "Tensor":
        return self._binary(ops.power, other, self)

    def __matmul__(self, other: Any) -> "Tensor":
        return self._product(ops.matmul, self, other)

    def __rmatmul__(self, other: Any) -> "Tensor":
        return self._product(ops.matmul, other, self)

    def __and__(self, other: Any) -> "Tensor":
        return self._binary(ops.bitwise_and, self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> "Tensor":
        return self._binary(ops.bitwise_or, self, other)

    __ror__ = __or__

    def __xor__(self, other: Any) -> "Tensor":
        return self._binary(ops.bitwise_xor, self, other)

    __rxor__ = __xor__

    def __invert__(self) -> "Tensor":
        return self._apply(ops.invert, self)

    def __neg__(self) -> "Tensor":
        return self._apply(ops.negative, self)

    def __pos__(self) -> "Tensor":
        return self  # type: ignore[return-value]  # nothing but Tensor has these methods

    def __abs__(self) -> "Tensor":
        return self._apply(ops.absolute, self)

    def __eq__(self, other: object) -> "Tensor":  # type: ignore[override]
        return self._binary(ops.equal, self, other)

    def __ne__(self, other: object) -> "Tensor":  # type: ignore[override]
        return self._binary(ops.not_equal, self, other)

    def __lt__(self, other: Any) -> "Tensor":
        return self._binary(ops.less, self, other)

    def __le__(self, other: Any) -> "Tensor":
        return self._binary(ops.less_equal, self, other)

    def __gt__(self, other: Any) -> "Tensor":
        return self._binary(ops.greater, self, other)

    def __ge__(self, other: Any) -> "Tensor":
        return self._binary(ops.greater_equal, self, other)
