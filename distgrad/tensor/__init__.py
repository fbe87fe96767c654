"""`Tensor`, and `apply`, through which every operation on Tensors goes."""

from distgrad.tensor.calls import apply
from distgrad.tensor.methods import Extremes, LinAlgError, Ordered, SignAndLog
from distgrad.tensor.promotion import binary, promoted
from distgrad.tensor.tensor import Tensor

__all__ = [
    "Extremes",
    "LinAlgError",
    "Ordered",
    "SignAndLog",
    "Tensor",
    "apply",
    "binary",
    "promoted",
]
