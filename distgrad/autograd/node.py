"""`Node`: one recorded operation, with what its gradient rules need."""

from collections.abc import Sequence
from itertools import count
from typing import Any, Protocol
from weakref import ref

from distgrad.ops.op import OUTPUT, Op, Plan

__all__ = ["Node", "Value", "Version", "record"]


class Version:
    """Counts the in-place changes of one piece of memory; views of it share the count."""

    number = 0  # of the class, so that making one for each result costs next to nothing


class Value(Protocol):
    """What the graph knows of a Tensor."""

    data: Any
    node: "Node | None"
    version: Version

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient is wanted for it, or for something that it was computed from."""


_numbers = count()


class Node:
    """A recorded operation: edges to where its inputs came from, and the values its rules need.

    The creation number orders the graph: an operation is newer than everything it depends on, so
    the backward pass visits nodes by falling number and needs neither recursion nor a global tape.
    """

    __slots__ = (
        "__weakref__",
        "after_backward",
        "edges",
        "like",
        "number",
        "op",
        "plan",
        "retained_by",
        "saved",
        "versions",
    )

    def __init__(
        self,
        op: Op,
        plan: Plan,
        edges: Sequence[Any],
        like: Sequence[tuple[tuple[int, ...], Any]],
        saved: Sequence[Any],
        versions: Sequence[tuple[int, Version, int]],
    ) -> None:
        self.op = op
        self.plan = plan
        self.edges = edges
        """For each rule, the node that made the input, or the leaf tensor that it is."""
        self.like = like
        """For each rule, the input's shape and data type: its gradient gets the same."""
        self.saved: Sequence[Any] | None = saved
        self.versions = versions
        """(place in saved, version counter, its number at the time of saving)"""
        self.number = next(_numbers)
        self.retained_by: ref[Any] | None = None
        """The non-leaf tensor that keeps its gradient."""
        self.after_backward: Any = None
        """Called once at the end of a `backward` that came through this node; not of a `grad`,
        which leaves the gradients of the leaves alone."""

    @property
    def name(self) -> str:
        """The operation's name, as in NumPy."""
        return self.op.name

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def saved_values(self) -> Sequence[Any]:
        """Return what the rules need, refusing values freed or changed since they were saved."""
        if self.saved is None:
            raise RuntimeError(
                f"backward through {self.name!r} a second time: the values saved for it were "
                "freed by the first pass; pass retain_graph=True to the first backward() or grad()"
            )
        for place, version, number in self.versions:
            if version.number != number:
                raise RuntimeError(
                    f"{self.name!r} needs its {self.plan.names[place]!r} of shape "
                    f"{self.saved[place].shape} for the gradient, but it was changed in place "
                    f"{version.number - number} time(s) since the forward pass; change it after "
                    "backward(), or change a clone()"
                )
        return self.saved

    def release(self) -> None:
        """Drop the saved arrays; a node without any can run again, as in PyTorch."""
        if self.plan.arrays:
            self.saved = None
            self.versions = ()


def record(
    op: Op,
    inputs: tuple[Any, ...],
    wanted: tuple[bool, ...],
    arrays: Sequence[Any],
    attributes: dict[str, Any],
    output: Value,
) -> Node | None:
    """Make the node of one operation, or None where no gradient rule will have to run.

    Args:
        op: The operation.
        inputs: Its inputs: Tensors, arrays, numbers or None.
        wanted: For each input, whether it is a Tensor that requires a gradient.
        arrays: The same inputs as arrays.
        attributes: All attributes of the call.
        output: The resulting Tensor.
    """
    plan = op.plan(wanted)
    if plan is None:
        return None
    edges = []
    like = []
    for position, _, _ in plan.rules:
        edges.append(inputs[position].node or inputs[position])
        like.append((arrays[position].shape, arrays[position].dtype))
    saved = []
    versions = []
    for position in plan.arrays:
        value = output if position == OUTPUT else inputs[position]
        version = getattr(value, "version", None)
        if version is None:  # a number, or an array whose changes nobody announces
            saved.append(value)
        else:
            versions.append((len(saved), version, version.number))
            saved.append(value.data)
    for name, source in plan.constants:
        saved.append(attributes[name] if source is None else arrays[source].shape)
    return Node(op, plan, edges, like, saved, versions)
