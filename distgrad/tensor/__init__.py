"""`Tensor`, and `apply`, through which every operation on Tensors goes."""

from distgrad.tensor.methods import Extremes
from distgrad.tensor.promotion import binary, promoted
from distgrad.tensor.tensor import Tensor, apply

__all__ = ["Extremes", "Tensor", "apply", "binary", "promoted"]
