"""The backward pass: from the roots down the graph without recursion."""

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

from distgrad.autograd.accumulation import add_to_grad, add_to_graph_grad
from distgrad.autograd.modes import enable_grad, no_grad
from distgrad.autograd.node import Asked, Leaf, Node
from distgrad.autograd.op_node import OpNode
from distgrad.backend import array_namespace
from distgrad.backend.dtypes import in_single
from distgrad.backend.quiet import quietly

__all__ = ["BackwardPass", "fitted", "nodes_leading_to", "sum_to_shape"]

Deliver = Callable[[Any, Any], None]

_RECORDED, _UNRECORDED = enable_grad(), no_grad()


class BackwardPass:
    """One walk down the graph.

    Args:
        deliver: Called with (leaf, gradient): with each contribution, or once with their sum where
            the leaf has hooks.
        tensor_type: What wraps an array for a hook, by its ``of``.
        create_graph: Record the pass itself.
        retain_graph: Keep the saved values for another pass.
        targets: Visit only the nodes that lead to these, and keep their gradients in ``found``;
            None to visit all.
    """

    def __init__(
        self,
        deliver: Deliver,
        tensor_type: Any,
        create_graph: bool = False,
        retain_graph: bool = False,
        targets: Iterable[Node] | None = None,
    ) -> None:
        self.deliver = deliver
        self.tensor_type = tensor_type
        self.create_graph = create_graph
        self.retain_graph = retain_graph
        self.targets = None if targets is None else frozenset(targets)
        self.needed: set[Node] | None = None
        self.found: dict[Node, Any] = {}
        self.visited: Node | None = None
        # What waits for its turn: one node, and the others in a heap.
        self._next: Node | None = None
        self._gradient: Any = None
        self._pending: dict[Node, Any] = {}
        self._heap: list[tuple[int, Node]] = []
        self._finishing: dict[Callable[[], None], None] = {}

    def run(self, roots: Sequence[tuple[Node, Any]]) -> list[Callable[[], None]]:
        """Send each root its gradient and walk until nothing is pending.

        Returns:
            What the nodes on the way want to have called at the end, each once.
        """
        if self.targets is not None:
            self.needed = nodes_leading_to(self.targets, [node for node, _ in roots])
        # A rule may evaluate branches that it then masks; the user sees the result, not those.
        with quietly(), _RECORDED if self.create_graph else _UNRECORDED:
            for node, gradient in roots:
                self.send(node, gradient)
            try:
                self._walk()
            except Exception as error:
                self.explain(error)
                raise
        return list(self._finishing)

    def send(self, node: Node, gradient: Any) -> None:
        """Add a contribution to the gradient of a node, in the node's shape and data type."""
        if type(node) is Leaf:
            tensor = node.tensor()
            like = node if tensor is None else tensor.data
            if gradient.shape != like.shape or gradient.dtype is not like.dtype:
                gradient = fitted(gradient, like)
            if node.asked is None and self.targets is None:  # nobody asks for the sum
                if tensor is not None and tensor.node is node:
                    self.deliver(tensor, gradient)
                return
        elif gradient.shape != node.shape or gradient.dtype is not node.dtype:
            gradient = fitted(gradient, node)
        pending = self._pending
        if node is self._next:
            self._gradient = self._gradient + gradient
        elif node in pending:
            pending[node] = pending[node] + gradient
        elif self._next is None:  # as in a chain all along, which so needs no heap
            self._next = node
            self._gradient = gradient
        else:
            pending[node] = gradient
            heappush(self._heap, (-node.number, node))

    def _walk(self) -> None:
        heap, pending, needed, targets = self._heap, self._pending, self.needed, self.targets
        while True:
            node, gradient = self._next, self._gradient
            if heap and (node is None or -heap[0][0] > node.number):
                node = heappop(heap)[1]
                gradient = pending.pop(node)
            elif node is None:
                break
            else:
                self._next = self._gradient = None
            if node.asked is not None:
                gradient = self._attend(node.asked, gradient)
            if targets is not None and node in targets:
                self.found[node] = gradient
            if needed is None or not needed.isdisjoint(node.edges):
                self.visited = node
                if type(node) is OpNode:  # most nodes: without a call in between
                    node.op.pass_on(node, gradient, self)
                else:
                    node.pass_on(gradient, self)

    def explain(self, error: Exception) -> None:
        """Add to an error what is known of the node at which it came up."""

    def _attend(self, asked: Asked, gradient: Any) -> Any:
        """Do what is asked of a node, and return the gradient that goes on from it."""
        if asked.after_backward is not None:
            self._finishing[asked.after_backward] = None
        for hook in tuple(asked.hooks.values()):
            gradient = self._hooked(hook, gradient)
        tensor = asked.retained_by and asked.retained_by()
        if tensor is not None:
            (add_to_graph_grad if self.create_graph else add_to_grad)(tensor, gradient)
        return gradient

    def _hooked(self, hook: Callable[[Any], Any], gradient: Any) -> Any:
        given = gradient if self.create_graph else self.tensor_type.of(gradient)
        returned = hook(given)
        if returned is None:
            return gradient
        if not isinstance(returned, type(given)):
            raise TypeError(
                f"a hook returns a Tensor in place of the gradient, or None, got "
                f"{type(returned).__name__}"
            )
        if returned.shape != given.shape:
            raise RuntimeError(
                f"a hook returned a gradient of shape {returned.shape} in place of one of shape "
                f"{given.shape}"
            )
        returned = returned.to(given.dtype)
        return returned if self.create_graph else returned.data


def fitted(gradient: Any, like: Any) -> Any:
    """Return a gradient in the shape and data type of what it is the gradient of.

    A rule of an operation that broadcasts gives it in the shape of the result.
    """
    if gradient.shape != like.shape:
        tensor = hasattr(gradient, "requires_grad")
        xp = gradient.__array_namespace__() if tensor else array_namespace(gradient)
        gradient = sum_to_shape(xp, in_single(gradient), like.shape)
    return gradient if gradient.dtype == like.dtype else gradient.astype(like.dtype)


def sum_to_shape(xp: Any, gradient: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum ``gradient`` over the axes in which ``shape`` was stretched."""
    extra = gradient.ndim - len(shape)
    stretched = tuple(
        axis
        for axis, length in enumerate(gradient.shape)
        if axis < extra or (shape[axis - extra] == 1 and length != 1)
    )
    return xp.reshape(xp.sum(gradient, axis=stretched), shape) if stretched else gradient


def nodes_leading_to(targets: Iterable[Node], roots: Iterable[Node]) -> set[Node]:
    """Return the targets and the nodes between them and the roots."""
    reached: set[Node] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node not in reached:
            reached.add(node)
            stack.extend(node.edges)
    needed = set(targets)
    for node in sorted(reached, key=lambda node: node.number):
        if not needed.isdisjoint(node.edges):
            needed.add(node)
    return needed
