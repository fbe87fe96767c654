"""A multilayer perceptron with ReLU; ``layers`` are the widths from the inputs to the classes."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

LOSS = "cross_entropy"


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


def shapes(*, layers: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters; every other module is a ReLU, which has none."""
    found: dict[str, tuple[int, ...]] = {}
    for number, (inputs, outputs) in enumerate(pairwise(layers)):
        found[f"{2 * number}.weight"] = (outputs, inputs)
        found[f"{2 * number}.bias"] = (outputs,)
    return found


def in_jax(*, layers: Sequence[int]) -> Callable[[Any, Any], Any]:
    """Return the same function of parameters and inputs."""
    import jax

    def linear(x: Any, weight: Any, bias: Any) -> Any:
        return x @ weight.T + bias

    return _function(linear, jax.nn.relu, len(layers) - 1)


def in_chainer(*, layers: Sequence[int]) -> Callable[[Any, Any], Any]:
    """Return the same function of parameters and inputs."""
    import chainer.functions as F

    return _function(F.linear, F.relu, len(layers) - 1)


def _function(linear: Any, relu: Any, depth: int) -> Callable[[Any, Any], Any]:
    def forward(parameters: Any, x: Any) -> Any:
        for number in range(depth):
            of_layer = f"{2 * number}"
            x = linear(x, parameters[f"{of_layer}.weight"], parameters[f"{of_layer}.bias"])
            if number + 1 < depth:
                x = relu(x)
        return x

    return forward
