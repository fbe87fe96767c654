"""The functions that `Tensor` has as methods, with PyTorch's names and arguments."""

from distgrad.tensor.methods.bins import Bins
from distgrad.tensor.methods.container import Container
from distgrad.tensor.methods.copying import Copying
from distgrad.tensor.methods.extremes import Extremes
from distgrad.tensor.methods.finding import Finding
from distgrad.tensor.methods.matrices import LinAlgError, Matrices, SignAndLog
from distgrad.tensor.methods.new import New
from distgrad.tensor.methods.norms import Norms
from distgrad.tensor.methods.ordering import Ordered
from distgrad.tensor.methods.random import Random
from distgrad.tensor.methods.scattering import Scattering
from distgrad.tensor.methods.statistics import Statistics

__all__ = ["Extremes", "LinAlgError", "Methods", "Ordered", "SignAndLog"]


class Methods(
    Norms,
    Finding,
    Scattering,
    Statistics,
    Matrices,
    Bins,
    Container,
    Copying,
    New,
    Random,
):
    """All of them."""

    __slots__ = ()
