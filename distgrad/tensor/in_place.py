"""The in-place changes of `Tensor`: computed as new values, written back, and recorded so.

A change is the operation without ``_`` on what the tensor held, and its result takes the tensor's
place in the graph. So each has the gradients of its operation, and none overwrites what it saves.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from distgrad import ops
from distgrad.autograd.modes import is_grad_enabled
from distgrad.autograd.node import Leaf, Node
from distgrad.autograd.op_node import Version
from distgrad.backend import Array, array_namespace, device_name, to_device
from distgrad.backend.lacking import is_writeable
from distgrad.backend.listening import unrepeatable
from distgrad.tensor.arithmetic import Arithmetic
from distgrad.tensor.mixing import placed_index, write
from distgrad.tensor.operands import kept_index, raw, raw_index
from distgrad.tensor.view import View, link_hidden_view, move_history, record_write

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["InPlace"]


class InPlace(Arithmetic):
    """What every change in place goes through, and those that are no form of an operation."""

    __slots__ = ()
    _wrap: "Callable[[Array, Node | None], Tensor]"

    if TYPE_CHECKING:
        data: Array
        node: Node | None
        version: Version
        view_of: View | None

    def _in_place(self, called: str, method: str, *args: Any, **kwargs: Any) -> Self:
        """Set the elements to the result of a method."""
        recorded = self._recorded(called, *args, *kwargs.values())
        former: Any = self._former() if recorded else self
        args = tuple([former if x is self else x for x in args])
        kwargs = {name: former if x is self else x for name, x in kwargs.items()}
        result = getattr(former, method)(*args, **kwargs)
        if result is not NotImplemented:
            self._become(called, result, former if recorded else None)
            return self
        return result  # type: ignore[no-any-return]  # Python turns it into a TypeError

    def _become(self, called: str, result: "Tensor", former: "Tensor | None") -> None:
        """Write a result over the elements.

        Args:
            called: What the user has called.
            result: The new values, whose place in the graph the tensor takes.
            former: What the tensor held before; None if the change is not recorded.
        """
        self._check_fit(called, result)
        self._overwrite(called, ..., result.data)
        if former is not None:
            if result.node is None:  # it has no gradient; then that of what was before is 0
                result = self._apply(ops.where, self._everywhere(), result, former)
            result = result.to(self.data.dtype)
            move_history(self, result)  # type: ignore[arg-type]  # a Tensor: nothing else has this

    def _recorded(self, called: str, *others: Any) -> bool:
        """Tell whether a change is to be recorded, refusing one that cannot be."""
        unrepeatable(f"{called} changes a Tensor in place")
        if not is_grad_enabled():
            return False
        base: Any = self if self.view_of is None else self.view_of.base
        if self.view_of is not None and self.view_of.steps is None:
            raise RuntimeError(
                f"{called}: this output of a custom Function shows the memory of one of its "
                "arguments, which would change without a trace in the graph; change a clone(), or "
                "let forward return one"
            )
        own_leaf = self.node is not None and (base.is_leaf or type(self.node) is Leaf)
        if own_leaf or (base.requires_grad and base.is_leaf):
            raise RuntimeError(
                f"{called}: a leaf that requires a gradient, or a view of it, cannot be changed "
                "in place while operations are recorded; do it under no_grad(), or make a new "
                "tensor"
            )
        if base.requires_grad and self.node is None:
            raise RuntimeError(
                f"{called}: this view was made under no_grad(), but its base requires a gradient; "
                "make the view where operations are recorded, or change it under no_grad()"
            )
        return any(getattr(x, "node", None) is not None for x in (self, *others))

    def _former(self) -> "Tensor":
        """Return what the tensor holds, in memory of its own and at the same place in the graph."""
        return self._wrap(self.data.copy(), self.node)

    def hide_behind(self, source: "Tensor") -> None:
        """Show the memory of ``source`` by a way that the graph does not have."""
        link_hidden_view(self, source)  # type: ignore[arg-type]  # a Tensor

    def take_place_of(self, result: "Tensor") -> None:
        """Stand where ``result`` does in the graph, whose values were written here already.

        Raises:
            RuntimeError: If the tensor, or what it is a view of, is a leaf of a graph.
        """
        self._recorded("mark_dirty()")
        move_history(self, result)  # type: ignore[arg-type]

    def _check_fit(self, called: str, result: "Tensor") -> None:
        shape, dtype = self.data.shape, self.data.dtype
        if result.shape != shape:
            raise RuntimeError(
                f"{called}: the result has shape {result.shape}, but the tensor that is to be "
                f"changed in place has shape {shape}; make a new tensor"
            )
        if _rank(result.dtype) > _rank(dtype):
            raise RuntimeError(
                f"{called}: the result is of type {result.dtype}, which does not go into the "
                f"tensor of type {dtype} that is to be changed in place; make a new tensor"
            )

    def _overwrite(self, called: str, index: Any, values: Any) -> None:
        try:
            write(self.data, index, values)
        except ValueError:
            if is_writeable(self.data):
                raise
            raise RuntimeError(
                f"{called}: the memory is read-only, or several elements are the same place in "
                "it, as expand() makes them; change a clone()"
            ) from None
        self.version.number += 1

    def __setitem__(self, index: Any, value: Any) -> None:
        recorded = self._recorded("assignment", value)
        former = self._wrap(self.data, self.node)
        self._overwrite("assignment", placed_index(raw_index(index), self.data), raw(value))
        if recorded:
            at = placed_index(kept_index(index), self.data)
            if hasattr(value, "node"):  # without the axes of length 1 that NumPy leaves out
                axes = min(value.ndim, self.data[at].ndim)
                value = self._beside(value).reshape(value.shape[value.ndim - axes :])
            result = self._wrap(self.data, None)
            record_write(ops.assign, result, former, value, index=at)
            move_history(self, result)  # type: ignore[arg-type]

    def zero_(self) -> Self:
        """Set all elements to 0."""
        return self.fill_(0)

    def fill_(self, value: Any) -> Self:
        """Set all elements to ``value``, a number or a Tensor of one."""
        if self._recorded("fill_()", value):
            former = self._former()
            number = self._beside(value) if hasattr(value, "node") else value
            self._become("fill_()", former.masked_fill(self._everywhere(), number), former)
        else:
            self._overwrite("fill_()", ..., raw(value))
        return self

    def copy_(self, source: Any, non_blocking: bool = False) -> Self:  # noqa: ARG002 (PyTorch's)
        """Set the elements to those of ``source``, broadcast and converted."""
        if self._recorded("copy_()", source):
            source = self._beside(source)
            former = self._former()
            result = self._apply(ops.where, self._everywhere(), source, former)
            self._become("copy_()", result, former)
        else:
            self._overwrite("copy_()", ..., raw(source))
        return self

    def _beside(self, values: Any) -> Any:
        """Return values that are written where the tensor lies; a Tensor in its data type too."""
        place = device_name(self.data)
        if not hasattr(values, "node"):
            return to_device(values, place) if hasattr(values, "dtype") else values
        if device_name(values.data) == place:
            return values.to(self.data.dtype)
        return values.to(place, self.data.dtype)

    def _everywhere(self) -> Array:
        return array_namespace(self.data).ones((), bool)

    def detach_(self) -> Self:
        """Take the tensor out of its graph: no gradient flows further from it.

        Raises:
            RuntimeError: If it is a view: its base would still be part of the graph.
        """
        if self.view_of is not None:
            raise RuntimeError("detach_(): a view cannot leave the graph alone; use detach()")
        self.node = None  # type: ignore[misc]  # a slot of Tensor
        return self


def _rank(dtype: Any) -> int:
    """Return the place of a data type's kind: a result goes into its own kind or a later one."""
    return "bif".index({"u": "i", "V": "f"}.get(dtype.kind, dtype.kind))
