"""Gradients of all parameters: in one flat array, or held until they are added to one."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.flat import FlatLayout

__all__ = ["GradientBuffer", "Gradients", "HeldGradients"]


class Gradients(Protocol):
    """Takes the gradients of a backward pass."""

    @property
    def views(self) -> Sequence[Array]:
        """Arrays of the parameters' shapes, which mean nothing where nothing was written."""

    @property
    def written(self) -> Array:
        """For each parameter, whether it has a gradient."""

    def write(self, index: int, gradient: Any) -> None:
        """Contribute to the gradient of parameter number ``index``."""

    def take(self, whole: "GradientBuffer") -> None:
        """Take the gradients of all parameters from a buffer; nothing was written here before."""


class GradientBuffer:
    """A flat array of gradients, and which parameters have one in it.

    The first contribution to a parameter overwrites, later ones add: nothing has to be cleared.

    Args:
        layout: Where the gradient of each parameter lies.
        xp: The array module of the parameters. Default: NumPy.
        flat: Memory for it that is there already, of zeros.

    Attributes:
        flat: The array, of ``layout.size`` elements.
        views: The same memory, cut into arrays of the parameters' shapes.
        written: For each parameter, whether it has a gradient here.
    """

    def __init__(self, layout: FlatLayout, xp: Namespace = np, flat: Array | None = None) -> None:
        self._layout = layout
        self.flat: Array = layout.zeros(xp) if flat is None else flat
        self.views = layout.views(self.flat)
        # Bytes are quicker than an array where one element is looked at.
        self._marks = bytearray(len(self.views))
        self._no_marks = bytes(self._marks)
        self.written = np.frombuffer(self._marks, np.bool_)

    def move(self, flat: Array) -> None:
        """Go on in other memory, with what is here."""
        flat[:] = self.flat
        self.flat, self.views = flat, self._layout.views(flat)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written yet."""
        return 1 not in self._marks

    def clear(self) -> None:
        """Begin anew: the next contribution to each parameter overwrites."""
        self._marks[:] = self._no_marks

    def write(self, index: int, gradient: Any) -> None:
        """Contribute to the gradient of parameter number ``index``."""
        if self._marks[index]:
            self.views[index] += gradient
        else:
            self.views[index][...] = gradient
            self._marks[index] = True

    def mark(self, written: Sequence[bool] | bytes) -> None:
        """Say which parameters have a gradient here: a graph has written it."""
        self._marks[:] = bytes(written)

    def fill(self) -> None:
        """Put zeros where nothing was written, so that the flat array can be summed."""
        if False in self._marks:
            for index in np.flatnonzero(~self.written):
                self.views[index][...] = 0

    def copy_to(self, other: Gradients) -> None:
        """Write what was written here to an empty one."""
        if False in self._marks:
            for index in np.flatnonzero(self.written).tolist():
                other.write(index, self.views[index])
        else:
            other.take(self)

    def take(self, whole: "GradientBuffer") -> None:
        """Take the gradients of all parameters at once: on a GPU a launch, and not one for each."""
        self.flat[...] = whole.flat
        self.mark(whole.written.tolist())

    def add(self, other: "GradientBuffer") -> None:
        """Add another filled buffer to this filled one."""
        self.flat += other.flat
        if self._marks != other._marks:
            self.written |= other.written

    def add_held(self, held: "HeldGradients") -> None:
        """Add gradients that are held to this filled buffer, as if they were in another one."""
        if held.whole is not None:
            self.flat += held.whole
        else:
            for view, gradient in zip(self.views, held.views, strict=True):
                view += gradient
        if False in self._marks:
            self.written |= held.written


class HeldGradients:
    """The arrays that a backward pass gives, kept until a buffer takes their sum.

    Where a leaf is added to its sibling at once, this saves writing it to memory of its own and
    reading it from there. To nothing 0 is added, as from a buffer: that can change the sign of a 0.

    Attributes:
        views: For each parameter its gradient, or 0.
        whole: The flat array that they are views of, if they are.
    """

    def __init__(self, layout: FlatLayout, xp: Namespace = np) -> None:
        self._xp = xp
        self._dtype = layout.dtype
        self._zero = layout.dtype.type(0)
        self._nothing = [self._zero] * len(layout)
        self.clear()

    def clear(self) -> None:
        """Let go of all gradients."""
        self.views: list[Any] = self._nothing.copy()
        self.whole: Array | None = None

    def take(self, whole: GradientBuffer) -> None:
        """Hold the gradients of all parameters, where they are."""
        self.views, self.whole = list(whole.views), whole.flat

    @property
    def written(self) -> Array:
        """For each parameter, whether it has a gradient."""
        return np.array([view is not self._zero for view in self.views], np.bool_)

    def write(self, index: int, gradient: Any) -> None:
        """Contribute to the gradient of parameter number ``index``."""
        before, self.whole = self.views[index], None
        self.views[index] = (
            self._xp.asarray(gradient, self._dtype)
            if before is self._zero
            else self._xp.add(before, gradient, dtype=self._dtype)
        )
