"""What a run minimises, and what it measures on samples that it has not trained on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import distgrad.nn.functional as F
from distgrad.functional import argmax
from distgrad.tensor import Tensor

__all__ = ["OBJECTIVES", "Objective"]

Summed: TypeAlias = tuple[Tensor, int]
"""A sum over a batch, and the number of things that it counts."""


@dataclass(frozen=True)
class Objective:
    """A loss and other measurements, each of a model's output and the targets of a batch.

    Attributes:
        loss: What training minimises.
        metrics: By name, what an evaluation measures besides.
        classes: Whether targets are integers that number the columns of the output.
    """

    loss: Callable[[Tensor, Tensor], Summed]
    metrics: Mapping[str, Callable[[Tensor, Tensor], Summed]]
    classes: bool

    def measure(self, output: Tensor, target: Tensor) -> dict[str, Summed]:
        """Return the loss and the metrics of one batch."""
        measured = {"loss": self.loss, **self.metrics}
        return {name: function(output, target) for name, function in measured.items()}


def cross_entropy(output: Tensor, target: Tensor) -> Summed:
    """Return the cross-entropy of scores (N, classes) and classes (N,), counted by samples."""
    return F.cross_entropy(output, target, reduction="sum"), target.numel()


def mse(output: Tensor, target: Tensor) -> Summed:
    """Return the squared error of two tensors of one shape, counted by elements."""
    return F.mse_loss(output, target, reduction="sum"), target.numel()


def accuracy(output: Tensor, target: Tensor) -> Summed:
    """Return how many of the classes (N,) have the highest of the scores (N, classes)."""
    return (argmax(output, 1) == target).sum(), target.numel()


OBJECTIVES: Mapping[str, Objective] = {
    "cross_entropy": Objective(cross_entropy, {"accuracy": accuracy}, classes=True),
    "mse": Objective(mse, {}, classes=False),
}
"""By the name that ``training.loss`` has."""
