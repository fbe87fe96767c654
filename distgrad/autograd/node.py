"""What a graph consists of: nodes, at its ends `Leaf`."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Protocol
from weakref import ref

from distgrad.autograd.hooks import Hooks

__all__ = ["Asked", "Leaf", "Node", "Walk", "next_number"]


class Walk(Protocol):
    """What a node knows of the backward pass that comes through it."""

    tensor_type: Any
    create_graph: bool
    """Whether gradients are Tensors, to be recorded themselves, and not arrays."""
    retain_graph: bool
    needed: "set[Node] | None"
    """The only nodes that gradients are wanted for; None for all."""

    def deliver(self, tensor: Any, gradient: Any) -> None:
        """Give a leaf a contribution to its gradient."""

    def send(self, node: "Node", gradient: Any) -> None:
        """Add a contribution to the gradient of a node."""


class Asked:
    """What is asked of a node beside passing its gradient on: few nodes have any of it."""

    def __init__(self) -> None:
        self.hooks: Hooks[Callable[[Any], Any]] = Hooks()
        """Called with the gradient of the node's tensor; may return another one."""
        self.after_accumulation: Hooks[Callable[[Any], None]] = Hooks()
        """Called with a leaf when a backward pass has added to its ``.grad``."""
        self.retained_by: ref[Any] | None = None
        """The non-leaf tensor that keeps its gradient."""
        self.after_backward: Callable[[], None] | None = None
        """Called once at the end of a `backward` that came through the node; not of a `grad`,
        which leaves the gradients of the leaves alone."""
        self.recorded_at = ""
        """The lines of the program that recorded the operation."""


class Node:
    """A place in the graph at which the contributions to one gradient come together.

    The creation number orders the graph: an operation is newer than everything it depends on, so
    the backward pass visits nodes by falling number and needs neither recursion nor a global tape.
    """

    __slots__ = ("__weakref__", "asked", "number")

    number: int
    asked: Asked | None
    shape: tuple[int, ...]
    dtype: Any
    """Shape and data type of the gradient; but see `Leaf.like`."""
    edges: "Sequence[Node]" = ()
    """The nodes of the inputs, which get gradients from this one."""

    @property
    def name(self) -> str:
        """The operation's name."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def ask(self) -> Asked:
        """Return what is asked of the node, to add to it."""
        if self.asked is None:
            self.asked = Asked()
        return self.asked

    def pass_on(self, gradient: Any, walk: Walk) -> None:
        """Send the gradients of the inputs, given that of the output."""
        raise NotImplementedError


class Leaf(Node):
    """The end of a graph: a tensor that asks for a gradient and was computed from nothing."""

    __slots__ = ("dtype", "shape", "tensor")

    def __init__(self, tensor: Any) -> None:
        self.tensor: Callable[[], Any] = ref(tensor)  # which holds this node
        self.shape = tensor.data.shape
        self.dtype = tensor.data.dtype
        self.asked = None
        self.number = next(_leaf_numbers)

    @property
    def name(self) -> str:
        """What such a node is called."""
        return "leaf"

    def like(self) -> Any:
        """Return what has the shape and data type of the gradient.

        That is the array of the tensor, which may have been exchanged for another one.
        """
        tensor = self.tensor()
        return self if tensor is None else tensor.data

    def pass_on(self, gradient: Any, walk: Walk) -> None:
        """Deliver the gradient to the tensor, if it still exists and asks for it."""
        tensor = self.tensor()
        if tensor is not None and tensor.node is self:
            walk.deliver(tensor, gradient)


next_number = count().__next__
"""Returns the creation number of an operation that is recorded now."""
_leaf_numbers = count(-1, -1)
"""Below all operations: the gradient of a leaf is whole when they are done."""
