"""Metrics of scores for classes: accuracy, the best few, perplexity."""

import math
from typing import Annotated, Any

import numpy as np
from pydantic import PositiveInt

import distgrad.nn.functional as F
from distgrad.backend import Array
from distgrad.tensor import Tensor
from distgrad.training.facts import FromRun
from distgrad.training.metrics.metric import Metric, Sums, ratio
from distgrad.training.objective import IGNORED, perplexity

__all__ = ["Accuracy", "Axis", "Perplexity", "TopK", "scores_and_labels"]

Axis = Annotated[int | None, FromRun]
"""The axis of the output that has a score for each class: that of the loss, if it has one, or 1."""


def scores_and_labels(output: Tensor, target: Tensor, axis: int | None) -> tuple[Array, Array]:
    """Return scores (M, classes) and labels (M,) of all targets that count.

    Raises:
        ValueError: If the targets are no labels of the output.
    """
    scores, labels = np.moveaxis(output.data, 1 if axis is None else axis, -1), target.data
    if labels.shape != scores.shape[:-1] or labels.dtype.kind not in "iub":
        raise ValueError(
            f"takes an integer label for each row of scores: {scores.shape[:-1]} of them, got "
            f"targets of shape {labels.shape} and type {labels.dtype}"
        )
    counts = labels != IGNORED
    scores, labels = scores[counts], labels[counts].astype(np.int64)
    classes = scores.shape[-1]
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(
            f"{classes} scores take labels from 0 to {classes - 1}, got labels from {labels.min()} "
            f"to {labels.max()}"
        )
    return scores, labels


class TopK(Metric):
    """The share of targets whose class is among the ``k`` of the highest scores.

    Of classes with equal scores the first ones come first.

    Args:
        k: How many. Default: 5.
        axis: The axis of the classes. Default: that of the loss, or 1.

    Example:
        >>> import distgrad as dg
        >>> scores, labels = dg.tensor([[3.0, 2.0, 1.0], [1.0, 1.0, 0.0]]), dg.tensor([1, 2])
        >>> TopK(k=2).addends(scores, labels)
        {'right': 1, 'count': 2}
    """

    mode = "max"

    def __init__(self, k: PositiveInt = 5, axis: Axis = None) -> None:
        self.name = f"top_{k}"
        self.k = k
        self.axis = axis

    def addends(self, output: Tensor, target: Tensor) -> dict[str, Any]:
        """Return how many targets are right, and how many count.

        Raises:
            ValueError: If the targets are no labels of the output, or k of its classes are all.
        """
        scores, labels = scores_and_labels(output, target, self.axis)
        if self.k > 1 and self.k >= scores.shape[-1]:
            raise ValueError(
                f"k = {self.k} of {scores.shape[-1]} classes are all of them, and always right; "
                "use a smaller k"
            )
        own = np.take_along_axis(scores, labels[:, None], -1)
        ties = (scores == own) & (np.arange(scores.shape[-1]) < labels[:, None])
        before = ((scores > own) | ties).sum(-1)
        return {"right": int((before < self.k).sum()), "count": labels.size}

    def value(self, sums: Sums) -> float:
        """Return the share."""
        return ratio(sums["right"], sums["count"])


class Accuracy(TopK):
    """The share of targets whose class has the highest score.

    Args:
        axis: The axis of the classes. Default: that of the loss, or 1.
    """

    def __init__(self, axis: Axis = None) -> None:
        super().__init__(1, axis)
        self.name = "accuracy"


class Perplexity(Metric):
    """The exponential of the mean cross-entropy, in nats: of how many equally likely classes.

    Args:
        axis: The axis of the classes. Default: that of the loss, or 1.
    """

    name = "perplexity"
    mode = "min"

    def __init__(self, axis: Axis = None) -> None:
        self.axis = axis

    def addends(self, output: Tensor, target: Tensor) -> dict[str, Any]:
        """Return the cross-entropies, and how many there are.

        Raises:
            ValueError: If the targets are no labels of the output.
        """
        scores, labels = scores_and_labels(output, target, self.axis)
        nats = F.cross_entropy(Tensor(scores), Tensor(labels), reduction="none")
        return {"nats": nats, "count": labels.size}

    def value(self, sums: Sums) -> float:
        """Return the perplexity; infinite where no float is that large."""
        nats = ratio(sums["nats"], sums["count"])
        return nats if math.isnan(nats) else perplexity(nats)
