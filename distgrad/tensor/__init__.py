"""`Tensor`, and `apply`, through which every operation on Tensors goes."""

from distgrad.tensor.methods import Extremes
from distgrad.tensor.tensor import Tensor, apply, binary

__all__ = ["Extremes", "Tensor", "apply", "binary"]
