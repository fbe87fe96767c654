"""A convolutional network for small images: distgrad's own `cnn`, and its equal."""

from typing import Any

import numpy as np


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
