"""The functions that `Tensor` has as methods, with PyTorch's names and arguments."""

from distgrad.tensor.methods.diagonals import Diagonals
from distgrad.tensor.methods.extremes import Extremes
from distgrad.tensor.methods.matrices import LinAlgError, Matrices, SignAndLog
from distgrad.tensor.methods.norms import Norms
from distgrad.tensor.methods.ordering import Ordered, Ordering
from distgrad.tensor.methods.scattering import Scattering

__all__ = ["Extremes", "LinAlgError", "Methods", "Ordered", "SignAndLog"]


class Methods(Norms, Scattering, Ordering, Diagonals, Matrices):
    """All of them."""

    __slots__ = ()
