"""Comparisons, predicates and choices."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad import ops
from distgrad.tensor.methods.array import OfArray

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Comparisons"]


def _boolean(name: str, condition: Any) -> Any:
    """Return a condition that is a Tensor or an array of truth values."""
    condition = np.asarray(condition) if isinstance(condition, bool | list) else condition
    if condition.dtype != np.bool_:
        raise RuntimeError(
            f"{name}() needs a condition of bools, not {condition.dtype}; compare it with something"
        )
    return condition


class Comparisons(OfArray):
    """Truth values for each element, which have no gradient; and choices by them."""

    __slots__ = ()

    def eq(self, other: Any) -> "Tensor":
        """Tell where the elements equal those of ``other``."""
        return self._pair(ops.equal, other)

    def ne(self, other: Any) -> "Tensor":
        """Tell where the elements differ from those of ``other``."""
        return self._pair(ops.not_equal, other)

    not_equal = ne

    def lt(self, other: Any) -> "Tensor":
        """Tell where the elements are less than those of ``other``."""
        return self._pair(ops.less, other)

    less = lt

    def le(self, other: Any) -> "Tensor":
        """Tell where the elements are at most those of ``other``."""
        return self._pair(ops.less_equal, other)

    less_equal = le

    def gt(self, other: Any) -> "Tensor":
        """Tell where the elements are greater than those of ``other``."""
        return self._pair(ops.greater, other)

    greater = gt

    def ge(self, other: Any) -> "Tensor":
        """Tell where the elements are at least those of ``other``."""
        return self._pair(ops.greater_equal, other)

    greater_equal = ge

    def isclose(
        self, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
    ) -> "Tensor":
        """Tell where the elements differ from ``other`` by at most ``atol + rtol * abs(other)``."""
        if not hasattr(other, "dtype") or other.dtype != self.dtype:
            raise RuntimeError(
                f"isclose() compares tensors of one data type, got {self.dtype} and "
                f"{getattr(other, 'dtype', type(other).__name__)}; convert with .to()"
            )
        if rtol < 0 or atol < 0:
            raise RuntimeError(
                f"isclose(): rtol and atol must not be negative, got rtol={rtol}, atol={atol}"
            )
        return self._apply(ops.isclose, self, other, rtol=rtol, atol=atol, equal_nan=equal_nan)

    def isnan(self) -> "Tensor":
        """Tell for each element whether it is nan."""
        return self._apply(ops.isnan, self)

    def isinf(self) -> "Tensor":
        """Tell for each element whether it is infinite."""
        return self._apply(ops.isinf, self)

    def isposinf(self) -> "Tensor":
        """Tell for each element whether it is positive and infinite."""
        return self._apply(ops.equal, self, np.inf)

    def isneginf(self) -> "Tensor":
        """Tell for each element whether it is negative and infinite."""
        return self._apply(ops.equal, self, -np.inf)

    def isreal(self) -> "Tensor":
        """Tell for each element whether it is a real number: all are."""
        return self._apply(ops.logical_or, self, np.True_)

    def signbit(self) -> "Tensor":
        """Tell for each element whether its sign is a minus, that of -0.0 too."""
        return self._apply(ops.signbit, self)

    def equal(self, other: "Tensor") -> bool:
        """Tell whether shape and all elements are equal."""
        return self.shape == other.shape and bool(self.eq(other).all().item())

    def allclose(
        self, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
    ) -> bool:
        """Tell whether all elements are close; see `isclose`."""
        return bool(self.isclose(other, rtol, atol, equal_nan).all().item())

    def isfinite(self) -> "Tensor":
        """Tell for each element whether it is neither infinite nor nan."""
        return self._apply(ops.isfinite, self)

    def logical_and(self, other: Any) -> "Tensor":
        """Tell where both elements are true, that is, not 0."""
        return self._truth(ops.logical_and, other)

    def logical_or(self, other: Any) -> "Tensor":
        """Tell where one of the two elements is true, or both."""
        return self._truth(ops.logical_or, other)

    def logical_xor(self, other: Any) -> "Tensor":
        """Tell where exactly one of the two elements is true."""
        return self._truth(ops.logical_xor, other)

    def _truth(self, op: ops.Op, other: Any) -> "Tensor":
        if not hasattr(other, "dtype"):
            raise TypeError(
                f"{op.name}() takes two Tensors or arrays, got Tensor and {type(other).__name__}"
            )
        return self._apply(op, self, other)

    def logical_not(self) -> "Tensor":
        """Tell where the elements are false, that is, 0."""
        return self._apply(ops.logical_not, self)

    def where(self, condition: Any, other: Any) -> "Tensor":
        """Return the elements where ``condition`` is true, and those of ``other`` elsewhere."""
        return self._apply(ops.where, _boolean("where", condition), *self._promoted(self, other))

    def masked_fill(self, mask: Any, value: Any) -> "Tensor":
        """Return the elements with ``value``, a number or a 0-d tensor, where ``mask`` is true."""
        value = value.to(self.dtype) if hasattr(value, "node") else self.dtype.type(value)
        if value.ndim:
            raise RuntimeError(
                f"masked_fill() takes a number or a 0-d tensor, got one of shape {value.shape}; "
                "use where() to choose among several values"
            )
        return self._apply(ops.where, _boolean("masked_fill", mask), value, self)
