"""`OpNode`: one recorded operation, with what its gradient rules need."""

from collections.abc import Sequence
from typing import Any
from weakref import ref

from distgrad.autograd.node import Node, Walk
from distgrad.ops.op import OUTPUT, Op

__all__ = ["UNCHANGED", "OpNode", "SavingNode", "Version", "new_version"]


class Version:
    """Counts the in-place changes of one piece of memory; views of it share the count."""

    __slots__ = ("_most", "_views", "number")

    # Made by `new_version`, without a constructor: each result of an operation has one.
    number: int
    _views: "list[ref[Any]]"
    _most: int

    def add_view(self, view: Any) -> None:
        """Remember a Tensor that shows the memory, as long as it lives."""
        if not hasattr(self, "_views"):
            self._views, self._most = [], 0
        if len(self._views) == self._most:  # so that those of a long-lived tensor do not add up
            self._views = [known for known in self._views if known() is not None]
            self._most = 2 * len(self._views) + 4
        self._views.append(ref(view))

    def views(self) -> list[Any]:
        """Return the remembered views that still live, in the order in which they were made."""
        known = getattr(self, "_views", ())
        return [view for reference in known if (view := reference()) is not None]


def new_version() -> Version:
    """Return the count of a piece of memory that was not changed yet."""
    version = Version()
    version.number = 0
    return version


UNCHANGED = new_version()
"""Of a value whose changes nobody announces: a number, an array, or what was not saved."""


class SavingNode(Node):
    """A recorded operation, with values that its gradients need."""

    __slots__ = ("saved", "versions")

    saved: Any
    """A tuple of values, a function that computes it anew, or None when it was freed."""
    versions: Sequence[Any]
    """For the first of the values, in turn a version counter and its number when it was saved."""

    def saved_values(self) -> Sequence[Any]:
        """Return what was saved, refusing values freed or changed since then."""
        if type(self.saved) is not tuple:
            self._compute_saved()
        counters = zip(self.versions[::2], self.versions[1::2], strict=True)
        for place, (version, number) in enumerate(counters):
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

    def free(self) -> None:
        """Let what was saved go; the counters stay for a thread that is in the middle of it."""
        self.saved = None

    def name_of(self, place: int) -> str:
        """Return what a saved value is called."""
        raise NotImplementedError

    def share_versions(self, tensors: Sequence[Any]) -> None:
        """Let Tensors made of the saved values show in-place changes of these."""
        for tensor, version in zip(tensors, self.versions[::2], strict=False):
            if version is not UNCHANGED:
                tensor.version = version


class OpNode(SavingNode):
    """A recorded op of `distgrad.ops`; `distgrad.autograd.op_code` makes it."""

    __slots__ = ("dtype", "inputs", "op", "shape")

    op: Op
    inputs: tuple[Node | None, ...]
    """For each input its node, None where no gradient of it is wanted."""

    @property
    def name(self) -> str:
        """The operation's name, as in NumPy."""
        return self.op.name

    @property
    def edges(self) -> Sequence[Node]:  # type: ignore[override]
        """The nodes of the inputs, which get gradients from this one."""
        return [node for node in self.inputs if node is not None]

    def name_of(self, place: int) -> str:
        """Return the name of the parameter that a saved value is for."""
        return self.op.saved_name(place)

    def pass_on(self, gradient: Any, walk: Walk) -> None:
        """Run the rules whose results are wanted."""
        self.op.pass_on(self, gradient, walk)

    def as_tensors(self, values: Sequence[Any], tensor_type: Any) -> list[Any]:
        """Wrap saved arrays as Tensors at their places in the graph, for rules to be recorded."""
        sources = self.op.saved_from(len(self.inputs))
        wrapped = [
            tensor_type.of(value, self if source == OUTPUT else self.inputs[source])
            if hasattr(value, "dtype")
            else value
            for value, source in zip(values, sources, strict=False)
        ]
        self.share_versions(wrapped)
        return [*wrapped, *values[len(sources) :]]
