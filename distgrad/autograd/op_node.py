"""`OpNode`: one recorded operation, with what its gradient rules need."""

from collections.abc import Sequence
from typing import Any, Protocol
from weakref import ref

import numpy as np

from distgrad.autograd.node import Leaf, Node, Walk, next_number
from distgrad.autograd.observing import observers
from distgrad.backend import array_namespace
from distgrad.ops.op import OUTPUT, Op, Plan

__all__ = ["OpNode", "SavingNode", "Value", "Version", "record", "sum_to_shape"]


class Version:
    """Counts the in-place changes of one piece of memory; views of it share the count."""

    # Of the class, so that making one for each result costs next to nothing.
    number = 0
    _views: "list[ref[Any]]" = []  # noqa: RUF012
    _most = 0

    def add_view(self, view: Any) -> None:
        """Remember a Tensor that shows the memory, as long as it lives."""
        if len(self._views) == self._most:  # so that those of a long-lived tensor do not add up
            self._views = [known for known in self._views if known() is not None]
            self._most = 2 * len(self._views) + 4
        self._views.append(ref(view))

    def views(self) -> list[Any]:
        """Return the remembered views that still live, in the order in which they were made."""
        return [view for known in self._views if (view := known()) is not None]


class Value(Protocol):
    """What the graph knows of a Tensor."""

    data: Any
    node: "Node | None"
    version: Version


class SavingNode(Node):
    """A recorded operation, with values that its gradients need."""

    __slots__ = ("edges", "saved", "versions")

    edges: Sequence[Node]
    saved: Any
    """A list of values, a function that computes it anew, or None when it was freed."""
    versions: Sequence[tuple[int, Version, int]]
    """(place in saved, version counter, its number at the time of saving)"""

    def saved_values(self) -> Sequence[Any]:
        """Return what was saved, refusing values freed or changed since then."""
        if type(self.saved) is not list:
            self._compute_saved()
        for place, version, number in self.versions:
            if version.number != number:
                raise RuntimeError(
                    f"{self.name!r} needs its {self.name_of(place)!r} of shape "
                    f"{self.saved[place].shape} for the gradient, but it was changed in place "
                    f"since the forward pass: it was saved at version {number} and is at version "
                    f"{version.number} now; change it after backward(), or change a clone()"
                )
        return self.saved  # type: ignore[no-any-return]

    def _compute_saved(self) -> None:
        while callable(self.saved):
            self.saved = self.saved()
        if self.saved is None:
            raise RuntimeError(
                f"backward through {self.name!r} a second time: the values saved for it were freed "
                "by the first pass; pass retain_graph=True to the first backward() or grad()"
            )

    def name_of(self, place: int) -> str:
        """Return what a saved value is called."""
        raise NotImplementedError

    def share_versions(self, tensors: Sequence[Any]) -> None:
        """Let Tensors made of the saved values show in-place changes of these."""
        for place, version, _ in self.versions:
            tensors[place].version = version


class OpNode(SavingNode):
    """A recorded op of `distgrad.ops`; made by `record`."""

    __slots__ = ("dtype", "plan", "shape")

    plan: Plan

    @property
    def name(self) -> str:
        """The operation's name, as in NumPy."""
        return self.plan.op.name

    def name_of(self, place: int) -> str:
        """Return the name of the parameter that a saved value is for."""
        return self.plan.names[place]

    def pass_on(self, gradient: Any, walk: Walk) -> None:
        """Run the rules whose results are wanted."""
        values = self.saved_values()
        if walk.create_graph:
            xp = gradient.__array_namespace__()
            values = self._as_tensors(values, walk.tensor_type)
        else:
            xp = np if type(gradient) is np.ndarray else array_namespace(gradient)
        needed = walk.needed
        for rule, edge in zip(self.plan.rules, self.edges, strict=True):
            if needed is None or edge in needed:
                result = rule(xp, gradient, values)
                like = edge.like() if type(edge) is Leaf else edge
                if result.shape != like.shape:
                    result = sum_to_shape(xp, result, like.shape)
                if result.dtype is not like.dtype and result.dtype != like.dtype:
                    result = result.astype(like.dtype)
                walk.send(edge, result)
        if not walk.retain_graph and self.plan.arrays:
            self.saved = None  # a node without arrays can run again, as in PyTorch
            self.versions = ()

    def _as_tensors(self, values: Sequence[Any], tensor_type: Any) -> list[Any]:
        """Wrap saved arrays as Tensors at their places in the graph, for rules to be recorded."""
        edges = {OUTPUT: self, **dict(zip(self.plan.positions, self.edges, strict=True))}
        arrays = self.plan.arrays
        wrapped = [
            tensor_type.of(value, edges.get(position)) if hasattr(value, "dtype") else value
            for value, position in zip(values, arrays, strict=False)
        ]
        self.share_versions(wrapped)
        return [*wrapped, *values[len(arrays) :]]


def sum_to_shape(xp: Any, gradient: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum ``gradient`` over the axes in which ``shape`` was stretched."""
    extra = gradient.ndim - len(shape)
    stretched = tuple(
        axis
        for axis, length in enumerate(gradient.shape)
        if axis < extra or (shape[axis - extra] == 1 and length != 1)
    )
    return xp.reshape(xp.sum(gradient, axis=stretched), shape) if stretched else gradient


_new = OpNode.__new__
_observers = observers.get


def record(
    op: Op,
    inputs: Sequence[Any],
    wanted: int,
    arrays: Sequence[Any],
    attributes: dict[str, Any],
    output: Value,
) -> OpNode | None:
    """Make the node of one operation, or None where no gradient rule will have to run.

    Args:
        op: The operation.
        inputs: Its inputs: Tensors, arrays, numbers or None.
        wanted: The inputs that require a gradient, as in `Op.plan`.
        arrays: The same inputs as arrays.
        attributes: All attributes of the call.
        output: The resulting Tensor.
    """
    plan = op.plan(wanted)
    if plan is None:
        return None
    data = output.data
    # Loops and plain assignments: each operation passes here, and calls would double its cost.
    node = _new(OpNode)
    node.plan = plan
    node.shape = data.shape
    node.dtype = data.dtype
    node.number = next_number()
    node.asked = None
    node.edges = edges = []
    for position in plan.positions:
        edges.append(inputs[position].node)
    node.saved = saved = []
    node.versions = versions = []
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
    for observer in _observers():
        observer(node)
    return node
