"""Functions that make Tensors, with PyTorch's names, arguments and default data types.

Where PyTorch takes ``device``, so do these: ``"cpu"``, or ``"cuda:0"`` for the first GPU.
``generator`` is a `numpy.random.Generator`; without one every draw is a call of the current random
scope, and so the same on whichever rank it is made. Draws for a GPU are made on the CPU and moved:
they are the same bits.
"""

from distgrad.creation.data import as_tensor, asarray, from_dlpack, from_numpy, tensor
from distgrad.creation.distributions import bernoulli, multinomial, normal
from distgrad.creation.filled import (
    empty,
    empty_like,
    full,
    full_like,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from distgrad.creation.patterns import eye, tril_indices, triu_indices
from distgrad.creation.random import (
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
)
from distgrad.creation.ranges import arange, linspace, logspace

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "bernoulli",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "multinomial",
    "normal",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "tensor",
    "tril_indices",
    "triu_indices",
    "zeros",
    "zeros_like",
]
