"""A multilayer perceptron with ReLU; ``layers`` are the widths from the inputs to the classes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np


def samples(rng: np.random.Generator, count: int, *, layers: Sequence[int]) -> tuple[Any, Any]:
    """Return inputs (count, layers[0]) and classes (count,)."""
    inputs = rng.standard_normal((count, layers[0]), np.float32)
    return inputs, rng.integers(0, layers[-1], count)


def in_distgrad(*, layers: Sequence[int]) -> Any:
    """Return the model."""
    from distgrad import nn

    return _perceptron(nn, layers)


def in_torch(*, layers: Sequence[int]) -> Any:
    """Return the same model."""
    from torch import nn

    return _perceptron(nn, layers)


def _perceptron(nn: Any, layers: Sequence[int]) -> Any:
    modules = []
    for inputs, outputs in pairwise(layers):
        modules += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*modules[:-1])
