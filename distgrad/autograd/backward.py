"""The backward pass: from the roots down the graph without recursion."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from heapq import heappop, heappush
from typing import Any

import numpy as np

from distgrad.autograd.modes import enable_grad
from distgrad.autograd.node import Node
from distgrad.backend import array_namespace
from distgrad.ops.op import OUTPUT

__all__ = ["BackwardPass", "nodes_leading_to", "sum_to_shape"]

Edge = Any
"""A `Node`, or the leaf Tensor at the end of the graph."""

Deliver = Callable[[Edge, Any], None]


def sum_to_shape(xp: Any, gradient: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum ``gradient`` over the axes in which ``shape`` was stretched."""
    extra = gradient.ndim - len(shape)
    stretched = tuple(
        axis
        for axis, length in enumerate(gradient.shape)
        if axis < extra or (shape[axis - extra] == 1 and length != 1)
    )
    return xp.reshape(xp.sum(gradient, axis=stretched), shape) if stretched else gradient


def _as_tensors(node: Node, values: Sequence[Any], tensor_type: Any) -> list[Any]:
    """Wrap saved arrays as Tensors at their old places in the graph, for rules to be recorded."""
    positions = [position for position, _, _ in node.plan.rules]
    edges = {OUTPUT: node, **dict(zip(positions, node.edges, strict=True))}
    arrays = node.plan.arrays
    wrapped = []
    for value, position in zip(values, arrays, strict=False):
        edge = edges.get(position)
        if not hasattr(value, "dtype"):
            wrapped.append(value)
        elif edge is None or type(edge) is Node:
            wrapped.append(tensor_type.of(value, edge))
        else:
            wrapped.append(edge)
    return [*wrapped, *values[len(arrays) :]]


class BackwardPass:
    """One walk down the graph.

    Args:
        deliver: Called with (leaf or watched node, gradient) for each contribution to a leaf, and
            once with the whole gradient of each watched node.
        tensor_type: The Tensor type where gradients are themselves to be recorded, else None.
        retain_graph: Keep the saved values for another pass.
        needed: Visit only these nodes; None for all.
        watched: Non-leaf nodes whose gradient is delivered too.
    """

    def __init__(
        self,
        deliver: Deliver,
        *,
        tensor_type: Any = None,
        retain_graph: bool = False,
        needed: set[Edge] | None = None,
        watched: Iterable[Node] = (),
    ) -> None:
        self._deliver = deliver
        self._tensor_type = tensor_type
        self._retain_graph = retain_graph
        self._needed = needed
        self._watched = frozenset(watched)
        self._pending: dict[Node, Any] = {}
        self._heap: list[tuple[int, Node]] = []

    def run(self, roots: Sequence[tuple[Edge, Any]]) -> list[Callable[[], None]]:
        """Send each root its gradient and walk until nothing is pending.

        Returns:
            What the nodes on the way have as ``after_backward``, each once.
        """
        finishing: dict[Callable[[], None], None] = {}
        heap, pending, needed = self._heap, self._pending, self._needed
        recording = nullcontext() if self._tensor_type is None else enable_grad()
        # A rule may evaluate branches that it then masks; the user sees the result, not those.
        with np.errstate(all="ignore"), recording:
            for edge, gradient in roots:
                self._send(edge, gradient)
            while heap:
                node = heappop(heap)[1]
                gradient = pending.pop(node)
                if node.after_backward is not None:
                    finishing[node.after_backward] = None
                if node.retained_by is not None or node in self._watched:
                    self._deliver_here(node, gradient)
                if needed is None or not needed.isdisjoint(node.edges):
                    self._visit(node, gradient)
        return list(finishing)

    def _send(self, edge: Edge, gradient: Any) -> None:
        if type(edge) is not Node:
            self._deliver(edge, gradient)
        elif edge in self._pending:
            self._pending[edge] = self._pending[edge] + gradient
        else:
            self._pending[edge] = gradient
            heappush(self._heap, (-edge.number, edge))

    def _deliver_here(self, node: Node, gradient: Any) -> None:
        if node in self._watched:
            self._deliver(node, gradient)
        tensor = node.retained_by and node.retained_by()
        if tensor is not None:
            self._deliver(tensor, gradient)

    def _visit(self, node: Node, gradient: Any) -> None:
        values = node.saved_values()
        if self._tensor_type is None:
            xp = array_namespace(gradient)
        else:
            xp = gradient.__array_namespace__()
            values = _as_tensors(node, values, self._tensor_type)
        needed = self._needed
        for (_, rule, places), edge, (shape, dtype) in zip(
            node.plan.rules, node.edges, node.like, strict=True
        ):
            if needed is not None and edge not in needed:
                continue
            result = rule(xp, gradient, *[values[place] for place in places])
            if result.shape != shape:
                result = sum_to_shape(xp, result, shape)
            if result.dtype != dtype:
                result = result.astype(dtype)
            self._send(edge, result)
        if not self._retain_graph:
            node.release()


def nodes_leading_to(targets: Iterable[Edge], roots: Iterable[Edge]) -> set[Edge]:
    """Return the targets and the nodes between them and the roots."""
    reached: set[Node] = set()
    stack = [edge for edge in roots if isinstance(edge, Node)]
    while stack:
        node = stack.pop()
        if node not in reached:
            reached.add(node)
            stack.extend(edge for edge in node.edges if isinstance(edge, Node))
    needed = set(targets)
    for node in sorted(reached, key=lambda node: node.number):
        if not needed.isdisjoint(node.edges):
            needed.add(node)
    return needed
