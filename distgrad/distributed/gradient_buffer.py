"""`GradientBuffer`: the gradients of all parameters in one flat array."""

from typing import Any

import numpy as np

from distgrad.backend import Array
from distgrad.flat import FlatLayout

__all__ = ["GradientBuffer"]


class GradientBuffer:
    """A flat array of gradients, and which parameters have one in it.

    The first contribution to a parameter overwrites, later ones add: nothing has to be cleared.

    Attributes:
        flat: The array, of ``layout.size`` elements.
        views: The same memory, cut into arrays of the parameters' shapes.
        written: For each parameter, whether it has a gradient here.
    """

    def __init__(self, layout: FlatLayout) -> None:
        self.flat: Array = layout.zeros()
        self.views = layout.views(self.flat)
        self.written = np.zeros(len(self.views), np.bool_)

    def clear(self) -> None:
        """Begin anew: the next contribution to each parameter overwrites."""
        self.written[:] = False

    def write(self, index: int, gradient: Any) -> None:
        """Contribute to the gradient of parameter number ``index``."""
        if self.written[index]:
            self.views[index] += gradient
        else:
            self.views[index][...] = gradient
            self.written[index] = True

    def fill(self) -> None:
        """Put zeros where nothing was written, so that the flat array can be summed."""
        for index in np.flatnonzero(~self.written):
            self.views[index][...] = 0

    def add(self, other: "GradientBuffer") -> None:
        """Add another filled buffer to this filled one."""
        self.flat += other.flat
        self.written |= other.written
