"""The backward pass of a recording: as any other, with each rule and each sum told to the trace."""

import operator
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from distgrad.autograd.anomaly import pass_type
from distgrad.autograd.backward import BackwardPass, fitted
from distgrad.autograd.node import Asked, Leaf, Node
from distgrad.autograd.op_node import OpNode
from distgrad.backend.bfloat16 import when_used
from distgrad.backend.listening import listening
from distgrad.ops import Op
from distgrad.ops.op import Rule
from distgrad.tensor import Tensor

if TYPE_CHECKING:
    from distgrad.tracing.trace import Trace

__all__ = ["TracedPass", "follow"]


class TracedNode(OpNode):
    """A recorded operation whose rules are listened to."""

    __slots__ = ()

    def pass_on(self, gradient: Any, walk: Any) -> None:
        """See `Node.pass_on`."""
        if listening.listener is None:  # the pass of somebody else, later
            self.op.pass_on(self, gradient, walk)
            return
        if type(self.saved) is not tuple:
            _trace().refuse(f"{self.name} computes what its gradient needs anew: a checkpoint")
        _listened(self.op).pass_on(self, gradient, walk)


def follow(node: Any) -> str | None:
    """Let the rules of a new node be listened to; return why they cannot be, if so."""
    if type(node) is not OpNode:
        return f"{node.name} is no operation of distgrad but a Function of one's own"
    node.__class__ = TracedNode
    return None


def _trace() -> "Trace":
    found: Any = listening.listener
    return found  # type: ignore[no-any-return]


@cache
def _listened(op: Op) -> Op:
    """Return an op with rules that tell the trace what they are given and what they return."""

    def listened(rule: Rule) -> Rule:
        function = rule.function
        return replace(rule, function=lambda *args: _trace().inside(function, *args))

    other = copy(op)
    other.rules = {name: listened(rule) for name, rule in op.rules.items()}
    if op.shared_rule is not None:
        other.shared_rule = listened(op.shared_rule)
    vars(other).pop("pass_on", None)
    return other


when_used(_listened.cache_clear)  # ops have other rules from then on


class TracedPass(BackwardPass):
    """One walk down the graph.

    Args:
        trace: Is told.
        deliver: Called with each contribution to a leaf.
    """

    def __init__(self, trace: "Trace", deliver: Callable[[Tensor, Any], None]) -> None:
        super().__init__(deliver, Tensor)
        self._trace = trace
        if pass_type() is not BackwardPass:
            trace.refuse("anomaly mode looks at each gradient")

    def send(self, node: Node, gradient: Any) -> None:
        """See `BackwardPass.send`."""
        like: Any = node.like() if isinstance(node, Leaf) else node
        if gradient.shape != like.shape or gradient.dtype != like.dtype:
            gradient = self._trace.inside(_fitted, gradient, like.shape, like.dtype)
        before = self._gradient if node is self._next else self._pending.get(node)
        super().send(node, gradient)
        if before is not None:
            after = self._gradient if node is self._next else self._pending[node]
            self._trace.computed(operator.add, (before, gradient), {}, after)

    def _attend(self, asked: Asked, gradient: Any) -> Any:
        self._trace.refuse("a hook, or retain_grad(), looks at a gradient")
        return super()._attend(asked, gradient)


def _fitted(gradient: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    return fitted(gradient, SimpleNamespace(shape=shape, dtype=dtype))
