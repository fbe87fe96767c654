"""Ops of any number of arrays: recording them, and passing their gradients on."""

from collections.abc import Sequence
from typing import Any

from distgrad.autograd.modes import is_grad_enabled
from distgrad.autograd.node import Walk, next_number
from distgrad.autograd.observing import observed
from distgrad.autograd.op_node import UNCHANGED, OpNode
from distgrad.backend import array_namespace
from distgrad.backend.dtypes import is_floating
from distgrad.ops.op import VariadicOp

__all__ = ["pass_on_of_many", "record_of_many"]


def record_of_many(
    op: VariadicOp, output: Any, inputs: Sequence[Any], attributes: dict[str, Any]
) -> None:
    """Record a call where a gradient is wanted.

    Args:
        op: The operation.
        output: The resulting Tensor.
        inputs: Tensors, arrays or numbers.
        attributes: All attributes of the call.
    """
    nodes = tuple([getattr(x, "node", None) for x in inputs])
    wanted = [place for place, node in enumerate(nodes) if node is not None]
    if not (wanted and op.rules and is_grad_enabled() and is_floating(output.data.dtype)):
        return
    node = OpNode()
    node.op = op
    node.number = next_number()
    node.shape = output.data.shape
    node.dtype = output.data.dtype
    node.asked = None
    node.inputs = nodes
    # The rule of an array does not need the array itself.
    kept = [x if wanted != [place] else None for place, x in enumerate(inputs) if op.saved_arrays]
    counters = [getattr(x, "version", UNCHANGED) for x in kept]
    node.versions = tuple([part for counter in counters for part in (counter, counter.number)])
    (rule,) = op.rules.values()
    node.saved = (
        *(getattr(x, "data", x) for x in kept),
        *(attributes[name] for name in op.defaults if name in rule.needs),
        *(getattr(x, "shape", ()) for x in inputs if "shapes" in rule.needs),
    )
    output.node = observed(node)


def pass_on_of_many(op: VariadicOp) -> Any:
    """Return the function that runs the gradient rule of an op for each array that wants it."""
    (rule,) = op.rules.values()
    attributes = [name for name in op.defaults if name in rule.needs]

    def pass_on(node: OpNode, gradient: Any, walk: Walk) -> None:
        saved = node.saved_values()
        if walk.create_graph:
            xp = gradient.__array_namespace__()
            saved = node.as_tensors(saved, walk.tensor_type)
        else:
            xp = array_namespace(gradient)
        arrays = len(node.inputs) if op.saved_arrays else 0
        given = dict(zip(attributes, saved[arrays:], strict=False))
        given["shapes"] = saved[arrays + len(attributes) :]
        for place, edge in enumerate(node.inputs):
            if edge is not None and (walk.needed is None or edge in walk.needed):
                given["position"] = place
                given["others"] = [x for at, x in enumerate(saved[:arrays]) if at != place]
                walk.send(edge, rule.function(xp, gradient, *[given[n] for n in rule.needs]))
        if not walk.retain_graph and any(x is not None for x in saved[:arrays]):
            node.free()

    return pass_on
