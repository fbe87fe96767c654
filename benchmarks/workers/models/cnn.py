"""A convolutional network for small images: distgrad's own `cnn`, and its equals."""

from collections.abc import Callable
from typing import Any

import numpy as np

LOSS = "cross_entropy"


def samples(
    rng: np.random.Generator, count: int, *, image: tuple[int, int, int], classes: int, **_: Any
) -> tuple[Any, Any]:
    """Return images (count, *image) and classes (count,)."""
    images = rng.standard_normal((count, *image), np.float32)
    return images, rng.integers(0, classes, count)


def in_distgrad(**sizes: Any) -> Any:
    """Return the model."""
    from distgrad.training.models import cnn

    return cnn(**sizes)


def in_torch(
    *, image: tuple[int, int, int], channels: tuple[int, int], hidden: int, classes: int
) -> Any:
    """Return the same model."""
    from torch import nn

    first, second = channels
    return nn.Sequential(
        nn.Conv2d(image[0], first, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(first, second, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(second * (image[1] // 4) * (image[2] // 4), hidden),
        nn.ReLU(),
        nn.Identity(),  # where distgrad's has a dropout, of 0
        nn.Linear(hidden, classes),
    )


def shapes(
    *, image: tuple[int, int, int], channels: tuple[int, int], hidden: int, classes: int
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters."""
    first, second = channels
    weights: dict[str, tuple[int, ...]] = {
        "0": (first, image[0], 3, 3),
        "3": (second, first, 3, 3),
        "7": (hidden, second * (image[1] // 4) * (image[2] // 4)),
        "10": (classes, hidden),
    }
    found = {f"{name}.weight": shape for name, shape in weights.items()}
    return {**found, **{f"{name}.bias": shape[:1] for name, shape in weights.items()}}


def in_jax(**_: Any) -> Callable[[Any, Any], Any]:
    """Return the same function of parameters and inputs, with the channels last inside."""
    import jax
    from jax import lax

    def convolved(x: Any, weight: Any, bias: Any) -> Any:
        order = ("NHWC", "OIHW", "NHWC")
        y = lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=order)
        y = jax.nn.relu(y + bias)
        # Takes half the time of reduce_window, with its gradient.
        samples, height, width, channels = y.shape
        return y.reshape(samples, height // 2, 2, width // 2, 2, channels).max((2, 4))

    def forward(parameters: Any, x: Any) -> Any:
        x = x.transpose(0, 2, 3, 1)
        for layer in ("0", "3"):
            x = convolved(x, parameters[f"{layer}.weight"], parameters[f"{layer}.bias"])
        x = x.transpose(0, 3, 1, 2).reshape(len(x), -1)
        x = jax.nn.relu(x @ parameters["7.weight"].T + parameters["7.bias"])
        return x @ parameters["10.weight"].T + parameters["10.bias"]

    return forward


def in_chainer(**_: Any) -> Callable[[Any, Any], Any]:
    """Return the same function of parameters and inputs."""
    import chainer.functions as F

    def forward(parameters: Any, x: Any) -> Any:
        for layer in ("0", "3"):
            of_layer = parameters[f"{layer}.weight"], parameters[f"{layer}.bias"]
            x = F.max_pooling_2d(F.relu(F.convolution_2d(x, *of_layer, pad=1)), 2)
        x = F.relu(F.linear(x, parameters["7.weight"], parameters["7.bias"]))
        return F.linear(x, parameters["10.weight"], parameters["10.bias"])

    return forward
