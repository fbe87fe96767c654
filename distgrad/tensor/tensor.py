"""`Tensor`: an array, its gradient, and its place in the graph."""

from collections.abc import Callable
from typing import Any, Self
from weakref import ref

import numpy as np

from distgrad import autograd, ops
from distgrad.autograd.hooks import RemovableHandle
from distgrad.autograd.node import Leaf, Node
from distgrad.autograd.op_node import Version, new_version
from distgrad.backend import Array, array_of
from distgrad.backend.dtypes import data_type, is_floating
from distgrad.backend.listening import unrepeatable
from distgrad.ops import Op
from distgrad.tensor.in_place_forms import InPlaceForms
from distgrad.tensor.methods import Methods
from distgrad.tensor.operands import raw
from distgrad.tensor.view import View

__all__ = ["Tensor"]


class _Namespace:
    """The namespace in which gradient rules run on Tensors: every op under its NumPy name."""

    @staticmethod
    def apply_op(op: Op, *args: Any, **attributes: Any) -> "Tensor":
        """Run an op that is not in it by name."""
        return op.call(*args, **attributes)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> "Callable[..., Tensor]":
        return getattr(ops, name).call  # type: ignore[no-any-return]


_NAMESPACE = _Namespace()


class Tensor(InPlaceForms, Methods):
    """An array of numbers that can ask for a gradient.

    Args:
        data: The array, of NumPy or CuPy; it is wrapped, not copied. `distgrad.tensor` copies.
        requires_grad: Record what is computed from it, so that `backward` can fill ``.grad``.

    Attributes:
        data: The raw array. A change made to it directly is announced by `bump_version`.
        grad: The gradient, a Tensor, or None until a backward pass has written it.

    Raises:
        RuntimeError: If a gradient is asked for an array that is not of floating-point type.

    Example:
        >>> x = Tensor(np.arange(4.0), requires_grad=True)
        >>> (2 * x.dot(x)).backward()
        >>> x.grad.tolist()
        [0.0, 4.0, 8.0, 12.0]
    """

    __slots__ = ("__weakref__", "_leaf", "data", "grad", "node", "version", "view_of")
    __array_ufunc__ = None  # so that array + Tensor asks the Tensor

    data: Array
    grad: "Tensor | None"
    node: Node | None
    """Where its gradient goes: the operation that made it, or of a leaf its place in graphs."""
    version: Version
    view_of: View | None
    _leaf: Leaf
    """Its place in graphs as a leaf, with its hooks; kept while it does not require a gradient."""

    def __init__(self, data: Array, requires_grad: bool = False) -> None:
        # Of a Tensor, the memory is shared, and so the count of its changes.
        self.version = data.version if isinstance(data, Tensor) else new_version()
        data = raw(data)
        self.data = data if type(data) is np.ndarray else array_of(data)
        if self.data.dtype.kind == "V":
            data_type(self.data.dtype)  # so that ops know bfloat16 from now on
        self.grad = None
        self.node = None
        self.view_of = None
        if requires_grad:
            self.requires_grad_(True)

    @staticmethod
    def of(data: Array, node: Node | None = None) -> "Tensor":
        """Wrap the result of an operation."""
        tensor = Tensor.__new__(Tensor)
        tensor.data = data if type(data) is np.ndarray else array_of(data)
        tensor.grad = None
        tensor.node = node
        tensor.version = new_version()
        tensor.view_of = None
        return tensor

    @staticmethod
    def __array_namespace__() -> _Namespace:
        return _NAMESPACE

    # The graph

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient is wanted for it, or for something that it was computed from."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user and not by a recorded operation."""
        return self.node is None or type(self.node) is Leaf

    @property
    def grad_fn(self) -> Node | None:
        """The recorded operation that made it; its ``name`` says which."""
        return None if self.is_leaf else self.node

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Record from now on what is computed from this leaf, or stop doing so.

        It keeps its hooks meanwhile. What was recorded before gives it no gradient if it does not
        require one when a backward pass comes to it.
        """
        if not self.is_leaf and not requires_grad:
            raise RuntimeError("only a leaf can stop requiring a gradient; use detach()")
        if requires_grad and not is_floating(self.dtype):
            raise RuntimeError(f"only floating-point tensors have gradients, not {self.dtype}")
        if requires_grad != self.requires_grad:
            if requires_grad and not hasattr(self, "_leaf"):
                self._leaf = Leaf(self)
            self.node = self._leaf if requires_grad else None
        return self

    def backward(
        self,
        gradient: "Tensor | None" = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Add gradients to the leaves; see `distgrad.autograd.backward`."""
        autograd.backward(self, gradient, retain_graph, create_graph)

    def retain_grad(self) -> None:
        """Keep the gradient of a tensor that is not a leaf in its ``.grad`` as well.

        After changes in place, that is the gradient of its last value.
        """
        node = self._node_for("retain_grad")
        if not self.is_leaf:
            node.ask().retained_by = ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on a tensor that is not a leaf."""
        asked = self.node and self.node.asked
        return bool(asked and asked.retained_by and asked.retained_by() is self)

    def register_hook(self, hook: Callable[["Tensor"], "Tensor | None"]) -> RemovableHandle:
        """Call ``hook`` with the gradient of this tensor in each backward pass through it.

        Hooks of leaves are called at the end of the pass, in the order in which the leaves were
        made. After a change in place the hook stays with the value from before.

        Args:
            hook: Gets the whole gradient, which it must not change; a Tensor that it returns goes
                on in its place.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Raises:
            RuntimeError: If the tensor does not require a gradient.

        Example:
            >>> x = Tensor(np.ones(2), requires_grad=True)
            >>> with x.register_hook(lambda gradient: gradient * 10):
            ...     x.sum().backward()
            >>> x.grad.tolist()
            [10.0, 10.0]
        """
        return self._node_for("register_hook").ask().hooks.add(hook)

    def register_post_accumulate_grad_hook(
        self, hook: Callable[["Tensor"], None]
    ) -> RemovableHandle:
        """Call ``hook`` with this leaf when its ``.grad`` has been written or added to.

        In a backward pass that is once, at its end; under `DataParallel.accumulate` when the mean
        over the global batch is in ``.grad``.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Raises:
            RuntimeError: If the tensor is not a leaf, or does not require a gradient.
        """
        node = self._node_for("register_post_accumulate_grad_hook")
        if not self.is_leaf:
            raise RuntimeError(
                "register_post_accumulate_grad_hook() needs a leaf: other tensors accumulate no "
                "gradient; use register_hook()"
            )
        return node.ask().after_accumulation.add(hook)

    def _node_for(self, call: str) -> Node:
        if self.node is None:
            raise RuntimeError(f"{call}() needs a tensor that requires a gradient")
        return self.node

    def detach(self) -> "Tensor":
        """Return the same array outside the graph: no gradient flows through it."""
        result = Tensor.of(self.data)
        result.version = self.version
        return result

    def bump_version(self) -> None:
        """Announce that the array was changed in place, so that stale graphs are refused."""
        unrepeatable("bump_version() says that a Tensor was changed in place")
        self.version.number += 1

    def __setstate__(self, state: tuple[Array, bool, dict[str, Any]]) -> None:
        data, requires_grad, attributes = state
        Tensor.__init__(self, data, requires_grad)
        for name, value in attributes.items():
            setattr(self, name, value)


Tensor._wrap = staticmethod(Tensor.of)
