"""Metrics of which class was taken for which: precision, recall, F1, the whole matrix."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np

from distgrad.tensor import Tensor
from distgrad.training.metrics.classification import Axis, scores_and_labels
from distgrad.training.metrics.metric import Metric, Sums, ratio

__all__ = ["F1", "ConfusionMatrix", "Precision", "Recall"]

Average: TypeAlias = Literal["macro", "micro", "weighted"]


class ConfusionMatrix(Metric):
    """How many targets of each class (rows) were taken for each class (columns).

    The class that was taken is the first of those with the highest score.

    Args:
        axis: The axis of the classes. Default: that of the loss, or 1.

    Example:
        >>> import distgrad as dg
        >>> scores, labels = dg.tensor([[3.0, 2.0], [4.0, 1.0], [0.0, 1.0]]), dg.tensor([0, 1, 1])
        >>> matrix = ConfusionMatrix()
        >>> matrix.value(matrix.addends(scores, labels))
        [[1, 0], [1, 1]]
    """

    name = "confusion_matrix"

    def __init__(self, axis: Axis = None) -> None:
        self.axis = axis

    def addends(self, output: Tensor, target: Tensor) -> dict[str, Any]:
        """Return the cells of the matrix that are not 0, and the last one, by row and column.

        Raises:
            ValueError: If the targets are no labels of the output.
        """
        scores, labels = scores_and_labels(output, target, self.axis)
        classes = scores.shape[-1]
        cells = np.bincount(labels * classes + scores.argmax(-1), minlength=classes**2)
        kept = {*np.flatnonzero(cells).tolist(), classes**2 - 1}  # the last tells how many
        return {f"{k // classes},{k % classes}": int(cells[k]) for k in sorted(kept)}

    def value(self, sums: Sums) -> list[list[int]]:
        """Return the rows of the matrix."""
        return _matrix(sums)


class _OfClasses(ConfusionMatrix):
    """A mean over classes of what their rows and columns say.

    Args:
        average: "macro", all classes alike that targets have or that were taken; "weighted", by
            their targets; "micro", of all classes together.
        axis: The axis of the classes. Default: that of the loss, or 1.
    """

    mode = "max"
    kind: str

    def __init__(self, average: Average = "macro", axis: Axis = None) -> None:
        super().__init__(axis)
        self.average = average
        self.name = f"{self.kind}_{average}"

    def of_class(self, right: int, taken: int, targets: int) -> Fraction:
        """Return what a class has, of which so many were right, taken, and there."""
        raise NotImplementedError

    def value(self, sums: Sums) -> Any:
        """Return the mean."""
        counts = list(_counts(_matrix(sums)))
        if self.average == "micro":
            right, taken, targets = (sum(numbers) for numbers in zip(*counts, strict=True))
            return float(self.of_class(right, taken, targets))
        weights = [
            targets if self.average == "weighted" else int(taken + targets > 0)
            for _, taken, targets in counts
        ]
        total = sum(w * self.of_class(*c) for w, c in zip(weights, counts, strict=True))
        return ratio(total, sum(weights))


class Precision(_OfClasses):
    """The share of what was taken for a class that is of it; 0 where nothing was.

    Args:
        average: "macro", all classes alike that targets have or that were taken; "weighted", by
            their targets; "micro", of all classes together.
        axis: The axis of the classes. Default: that of the loss, or 1.
    """

    kind = "precision"

    def of_class(self, right: int, taken: int, targets: int) -> Fraction:  # noqa: ARG002
        """Return right / taken."""
        return Fraction(right, taken or 1)


class Recall(_OfClasses):
    """The share of the targets of a class that was taken for it; 0 where there are none.

    Args:
        average: As of `Precision`.
        axis: The axis of the classes. Default: that of the loss, or 1.
    """

    kind = "recall"

    def of_class(self, right: int, taken: int, targets: int) -> Fraction:  # noqa: ARG002
        """Return right / targets."""
        return Fraction(right, targets or 1)


class F1(_OfClasses):
    """The harmonic mean of precision and recall of a class, 2 right / (taken + targets).

    Args:
        average: As of `Precision`.
        axis: The axis of the classes. Default: that of the loss, or 1.
    """

    kind = "f1"

    def of_class(self, right: int, taken: int, targets: int) -> Fraction:
        """Return 2 right / (taken + targets)."""
        return Fraction(2 * right, taken + targets or 1)


def _matrix(sums: Sums) -> list[list[int]]:
    cells = {tuple(map(int, name.split(","))): int(count) for name, count in sums.items()}
    classes = range(1 + max(row for row, _ in cells))
    return [[cells.get((row, column), 0) for column in classes] for row in classes]


def _counts(matrix: list[list[int]]) -> Iterator[tuple[int, int, int]]:
    """Yield for each class how many were right, how many taken for it, how many targets of it."""
    columns = list(zip(*matrix, strict=True))
    for k, row in enumerate(matrix):
        yield row[k], sum(columns[k]), sum(row)
