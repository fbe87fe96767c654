"""The in-place changes of `Tensor`: refused where a graph could not see them, counted otherwise."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from distgrad.autograd.modes import is_grad_enabled
from distgrad.autograd.node import Node, Version
from distgrad.backend import Array
from distgrad.tensor.arithmetic import Arithmetic
from distgrad.tensor.operands import raw, raw_index

__all__ = ["InPlace"]


class InPlace(Arithmetic):
    """Methods whose names end in ``_``, augmented assignment, assignment to elements."""

    __slots__ = ()

    if TYPE_CHECKING:
        data: Array
        node: Node | None
        version: Version
        requires_grad: bool

    def _changed(self, by: Any = None) -> Array:
        """Return the array for an in-place change, refusing one that a graph could not see."""
        if self.requires_grad and is_grad_enabled():
            raise RuntimeError(
                "a tensor that requires a gradient cannot be changed in place while operations are "
                "recorded; do it under no_grad(), or make a new tensor"
            )
        if getattr(by, "requires_grad", False) and is_grad_enabled():
            raise RuntimeError(
                "a change in place by a tensor that requires a gradient would not be recorded; "
                "use detach(), do it under no_grad(), or make a new tensor"
            )
        self.version.number += 1
        return self.data

    def __setitem__(self, index: Any, value: Any) -> None:
        self._changed(value)[raw_index(index)] = raw(value)

    def zero_(self) -> Self:
        """Set all elements to 0."""
        self._changed()[...] = 0
        return self

    def fill_(self, value: float) -> Self:
        """Set all elements to ``value``."""
        self._changed()[...] = value
        return self

    def copy_(self, source: Any) -> Self:
        """Set the elements to those of ``source``, broadcast and converted."""
        self._changed(source)[...] = raw(source)
        return self

    def add_(self, other: Any, *, alpha: float = 1) -> Self:
        """Add ``alpha * other`` in place."""
        array = self._changed(other)
        array += raw(other) if alpha == 1 else raw(other) * alpha
        return self

    def sub_(self, other: Any, *, alpha: float = 1) -> Self:
        """Subtract ``alpha * other`` in place."""
        return self.add_(other, alpha=-alpha)

    def mul_(self, other: Any) -> Self:
        """Multiply by ``other`` in place."""
        array = self._changed(other)
        array *= raw(other)
        return self

    def div_(self, other: Any) -> Self:
        """Divide by ``other`` in place."""
        array = self._changed(other)
        array /= raw(other)
        return self

    def _augmented(
        self, other: Any, new: Callable[[Any], Any], change: Callable[[Any], Any]
    ) -> Any:
        """``x += y``: a change in place, or a new recorded tensor where a graph needs the old."""
        of_graph = self.node is not None or (
            not self.requires_grad and getattr(other, "requires_grad", False)
        )
        return new(other) if of_graph and is_grad_enabled() else change(other)

    def __iadd__(self, other: Any) -> Any:
        return self._augmented(other, self.__add__, self.add_)

    def __isub__(self, other: Any) -> Any:
        return self._augmented(other, self.__sub__, self.sub_)

    def __imul__(self, other: Any) -> Any:
        return self._augmented(other, self.__mul__, self.mul_)

    def __itruediv__(self, other: Any) -> Any:
        return self._augmented(other, self.__truediv__, self.div_)
