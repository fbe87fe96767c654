"""What a run minimises, and what it measures on samples that it has not trained on."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from pydantic import Field

import distgrad.nn.functional as F
from distgrad.functional import argmax
from distgrad.tensor import Tensor

__all__ = ["IGNORED", "OBJECTIVES", "Objective", "Summed"]

IGNORED = -100
"""The target of what does not count, such as padding: PyTorch's ``ignore_index``."""

Summed: TypeAlias = tuple[Tensor, float]
"""A sum over a batch, and the number of things that it counts."""

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Objective:
    """A loss and other measurements, each of a model's output and the targets of a batch.

    Called, it is its loss. A configuration can name a function of one's own that returns
    (sum, count), or an `Objective`, which has metrics besides.

    Attributes:
        loss: What training minimises.
        metrics: By name, what an evaluation measures besides.
        derived: By name, what follows from the mean loss of an evaluation.
        class_axis: The axis of the output that has a score for each class, where targets are
            integers that number the classes; their shape is the output's without this axis.
        test_loss: What an evaluation measures as the loss, if that is another, such as one without
            what only makes training harder.

    Example:
        >>> import distgrad as dg
        >>> def absolute(output, target):
        ...     return abs(output - target).sum(), target.numel()
        >>> objective = Objective(absolute, derived={"root": math.sqrt})
        >>> total, count = objective(dg.tensor([1.0, 3.0]), dg.tensor([1.0, 5.0]))
        >>> total.item(), count
        (2.0, 2)
        >>> objective.completed({"loss": 4.0})
        {'loss': 4.0, 'root': 2.0}
    """

    loss: Callable[[Tensor, Tensor], Summed]
    metrics: Mapping[str, Callable[[Tensor, Tensor], Summed]] = field(default_factory=dict)
    derived: Mapping[str, Callable[[float], float]] = field(default_factory=dict)
    class_axis: int | None = None
    test_loss: Callable[[Tensor, Tensor], Summed] | None = None

    def __call__(self, output: Tensor, target: Tensor) -> Summed:
        """Return the loss of one batch."""
        return self.loss(output, target)

    @property
    def measured(self) -> dict[str, Callable[[Tensor, Tensor], Summed]]:
        """What an evaluation averages, by name: the loss and the metrics."""
        return {"loss": self.test_loss or self.loss, **self.metrics}

    def measure(self, output: Tensor, target: Tensor) -> dict[str, Summed]:
        """Return the loss and the metrics of one batch, as an evaluation measures them."""
        return {name: function(output, target) for name, function in self.measured.items()}

    def completed(self, means: Mapping[str, float]) -> dict[str, float]:
        """Return the means over all samples, and what follows from that of the loss."""
        return {**means, **{name: f(means["loss"]) for name, f in self.derived.items()}}


def labelled(target: Tensor) -> float:
    """Return how many targets are classes and not `IGNORED`, as a Tensor: not waited for."""
    return (target != IGNORED).sum()  # type: ignore[return-value]  # it has __float__


def cross_entropy(output: Tensor, target: Tensor, label_smoothing: Share = 0.0) -> Summed:
    """Return the cross-entropy of scores (N, classes, ...) and classes (N, ...), by targets.

    ``label_smoothing`` is the share of each target that is dealt out to all classes alike.
    """
    total = F.cross_entropy(output, target, reduction="sum", label_smoothing=label_smoothing)
    return total, labelled(target)


def mse(output: Tensor, target: Tensor) -> Summed:
    """Return the squared error of two tensors of one shape, counted by elements.

    Raises:
        ValueError: If the shapes differ, which would broadcast one against the other.
    """
    if output.shape != target.shape:
        raise ValueError(
            f"mse: output and target must have one shape, got {output.shape} and {target.shape}; "
            "reshape() one of them"
        )
    return F.mse_loss(output, target, reduction="sum"), target.numel()


def accuracy(output: Tensor, target: Tensor) -> Summed:
    """Return how many of the classes (N, ...) have the highest of the scores (N, classes, ...)."""
    return (argmax(output, 1) == target).sum(), labelled(target)


def next_token(output: Tensor, target: Tensor, label_smoothing: Share = 0.0) -> Summed:
    """Return the cross-entropy of scores (N, T, vocabulary) and tokens (N, T), by tokens."""
    scores = output.reshape(-1, output.shape[-1])
    return cross_entropy(scores, target.reshape(-1), label_smoothing)


def next_token_accuracy(output: Tensor, target: Tensor) -> Summed:
    """Return how many of the tokens (N, T) have the highest of the scores (N, T, vocabulary)."""
    return (argmax(output, -1) == target).sum(), labelled(target)


def perplexity(nats: float) -> float:
    """Return the number of equally likely tokens that is as hard to guess from."""
    return math.exp(nats) if nats < math.log(2.0**1023) else math.inf


OBJECTIVES: Mapping[str, Objective] = {
    "cross_entropy": Objective(
        cross_entropy, {"accuracy": accuracy}, class_axis=1, test_loss=cross_entropy
    ),
    "mse": Objective(mse),
    "next_token": Objective(
        next_token,
        {"accuracy": next_token_accuracy},
        {"bits_per_token": lambda nats: nats / math.log(2), "perplexity": perplexity},
        class_axis=-1,
        test_loss=next_token,
    ),
}
"""By the name that ``training.loss`` has. The loss of ``next_token`` is in nats a token.

Labels are smoothed in training only, so that losses and what follows from them can be compared."""
