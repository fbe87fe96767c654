"""The multilayer perceptron of `workers.models.mlp`, whose outputs are numbers to be met."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workers.models.mlp import in_chainer, in_distgrad, in_jax, in_torch, shapes

__all__ = ["LOSS", "in_chainer", "in_distgrad", "in_jax", "in_torch", "samples", "shapes"]

LOSS = "mean_squared_error"


def samples(rng: np.random.Generator, count: int, *, layers: Sequence[int]) -> tuple[Any, Any]:
    """Return inputs (count, layers[0]) and targets (count, layers[-1])."""
    inputs = rng.standard_normal((count, layers[0]), np.float32)
    return inputs, rng.standard_normal((count, layers[-1]), np.float32)
