"""The functions that `Tensor` has as methods, with PyTorch's names and arguments."""

from distgrad.tensor.methods.conversions import Conversions
from distgrad.tensor.methods.elementwise import Elementwise
from distgrad.tensor.methods.reductions import Extremes, Reductions
from distgrad.tensor.methods.shapes import Shapes

__all__ = ["Extremes", "Methods"]


class Methods(Elementwise, Reductions, Shapes, Conversions):
    """All of them."""

    __slots__ = ()
