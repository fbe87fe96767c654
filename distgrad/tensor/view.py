"""Tensors that share memory with another one: how a change in place reaches all of them."""

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

from distgrad import ops
from distgrad.autograd.function_node import RefusingNode
from distgrad.autograd.node import Node
from distgrad.ops import Op
from distgrad.ops.index import follow

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["View", "link_hidden_view", "link_view", "move_history", "record_write"]


class View(NamedTuple):
    """How a view came from the tensor whose memory it shows."""

    base: "Tensor"
    """No view itself."""
    steps: tuple[tuple[Op, dict[str, Any]], ...] | None
    """Ops, with their attributes, that lead from the base to the view; None if nobody knows."""


def link_view(view: "Tensor", source: Any, op: Op, attributes: dict[str, Any]) -> None:
    """Remember that an op made ``view`` of the memory of ``source``."""
    if not hasattr(source, "version"):
        return  # an array: nobody announces its changes
    before = source.view_of or View(source, ())
    steps = None if before.steps is None else (*before.steps, (op, attributes))
    _link(view, View(before.base, steps))


def link_hidden_view(view: "Tensor", source: "Tensor") -> None:
    """Remember that ``view`` shows memory of ``source``, by a way that the graph does not have."""
    base = source if source.view_of is None else source.view_of.base
    _link(view, View(base, None))


def _link(view: "Tensor", view_of: View) -> None:
    view.view_of = view_of
    view.version = view_of.base.version
    view.version.add_view(view)


def record_write(op: Op, tensor: "Tensor", former: "Tensor", values: Any, **at: Any) -> None:
    """Record that ``op`` of what ``tensor`` held and ``values`` was written to ``tensor``."""
    output = tensor.detach()
    op.record(output, former, values, **at)
    _put_at(tensor, output.node)


def move_history(tensor: "Tensor", result: "Tensor") -> None:
    """Put a tensor whose memory holds ``result`` now behind that in the graph.

    So are its base, if it is a view, and all other views of that: what is computed from them
    later gets its gradient through this change.
    """
    if tensor.view_of is None:
        base = tensor
        _put_at(tensor, result.node)
    else:
        base, steps = tensor.view_of
        record_write(ops.assign_view, base, base, result, steps=steps)
    for view in tensor.version.views():
        if view.view_of.base is base:  # and not a detached tensor, which has the same memory
            _put_at(view, _node_behind(base, view))


def _node_behind(base: "Tensor", view: "Tensor") -> Node | None:
    """Return the place of a view in the graph, given that of its base."""
    steps = view.view_of.steps  # type: ignore[union-attr]  # it is a view
    if steps is not None:
        return follow(base.__array_namespace__(), base, steps).node  # type: ignore[no-any-return, no-untyped-call]
    return base.node and RefusingNode(
        (base.node,),
        view,
        "changed view",
        "an output of a custom Function shows the memory of one of its arguments, which was "
        "changed in place behind it, so its gradient is not known; let forward return a clone()",
    )


def _put_at(tensor: "Tensor", node: Node | None) -> None:
    """Put a tensor at another place in the graph, where it retains its gradient if it did."""
    retains = tensor.retains_grad
    if retains:
        tensor.node.asked.retained_by = None  # type: ignore[union-attr]  # it has retained
    tensor.node = node
    if retains and node is not None:
        node.ask().retained_by = ref(tensor)
