"""Metrics of numbers: absolute and squared errors, and the share of the variance explained."""

import math
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from distgrad.backend import Array
from distgrad.tensor import Tensor
from distgrad.training.metrics.metric import Metric, Sums, ratio

__all__ = ["R2", "MeanAbsoluteError", "MeanSquaredError", "RootMeanSquaredError"]

Exact: TypeAlias = Fraction | float

_SPLITTER = 2.0**27 + 1


def _float64(output: Tensor, target: Tensor) -> tuple[Array, Array]:
    """Return both in float64, in which the difference of two float32 of one size is exact.

    Raises:
        ValueError: If the shapes differ, which would broadcast one against the other.
    """
    if output.shape != target.shape:
        raise ValueError(
            f"output and target must have one shape, got {output.shape} and {target.shape}; "
            "reshape() one of them"
        )
    return output.data.astype(np.float64), target.data.astype(np.float64)


class MeanAbsoluteError(Metric):
    """The mean of the absolute errors, of all elements."""

    name = "mae"
    mode = "min"

    def addends(self, output: Tensor, target: Tensor) -> dict[str, Any]:
        """Return the absolute errors, and how many there are.

        Raises:
            ValueError: If the shapes differ.
        """
        o, t = _float64(output, target)
        return {"errors": np.abs(o - t), "count": t.size}

    def value(self, sums: Sums) -> float:
        """Return the mean."""
        return ratio(sums["errors"], sums["count"])


class MeanSquaredError(Metric):
    """The mean of the squared errors, of all elements."""

    name = "mse"
    mode = "min"

    def addends(self, output: Tensor, target: Tensor) -> dict[str, Any]:
        """Return the squared errors, and how many there are.

        Raises:
            ValueError: If the shapes differ.
        """
        o, t = _float64(output, target)
        return {"squares": (o - t) ** 2, "count": t.size}

    def value(self, sums: Sums) -> float:
        """Return the mean."""
        return ratio(sums["squares"], sums["count"])


class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean of the squared errors, of all elements."""

    name = "rmse"

    def value(self, sums: Sums) -> float:
        """Return the root of the mean."""
        return math.sqrt(super().value(sums))


class R2(Metric):
    """The coefficient of determination, ``1 - sum((y - o)**2) / (sum(y**2) - sum(y)**2 / n)``.

    Of outputs (N, ...) with several numbers a sample it is the mean over them. Where all targets
    are the same it is 1 if there are no errors, and 0 otherwise.

    The moments of the targets are summed without any rounding: each square in two float64, the
    second one what the first was rounded by. So nothing is lost by their difference, however far
    the targets are from 0, from 1e-140 to 1e150 in size. Each squared error is rounded once.

    Example:
        >>> import distgrad as dg
        >>> far = 1e15
        >>> r2, y = R2(), dg.tensor([far, far + 1, far + 2], dtype=dg.float64)
        >>> data = dg.data.TensorDataset(x=y + dg.tensor([0.5, 0.0, 0.0]), y=y)
        >>> model = dg.distributed.DataParallel(dg.nn.Linear(1, 1), dg.distributed.connect())
        >>> sums = model.exact_sums(lambda batch: r2.addends(batch.x, batch.y), data, 2)
        >>> r2.value(sums)
        0.875
    """

    name = "r2"
    mode = "max"

    def addends(self, output: Tensor, target: Tensor) -> dict[str, Any]:
        """Return for each number of a sample its squared error, and the moments of the targets.

        Raises:
            ValueError: If the shapes differ.
        """
        o, t = (array.reshape(len(array), -1) for array in _float64(output, target))
        addends: dict[str, Any] = {"count": len(t)}
        for k in range(t.shape[1]):
            addends[f"{k} errors"] = (o[:, k] - t[:, k]) ** 2
            addends[f"{k} targets"] = t[:, k]
            addends[f"{k} squares"] = _exact_squares(t[:, k])
        return addends

    def value(self, sums: Sums) -> float:
        """Return the mean of the coefficients."""
        columns = [name.split()[0] for name in sums if name.endswith("errors")]
        values = [
            _r2(sums[f"{k} errors"], sums[f"{k} targets"], sums[f"{k} squares"], sums["count"])
            for k in columns
        ]
        return ratio(math.fsum(values), len(values))


def _r2(errors: Exact, targets: Exact, squares: Exact, count: Exact) -> float:
    variation = squares - targets * targets / count
    if not variation:
        return 0.0 if errors else 1.0
    return float(1 - errors / variation)


def _exact_squares(values: Array) -> Array:
    """Return the squares and what they were rounded by.

    T. J. Dekker, "A floating-point technique for extending the available precision", Numerische
    Mathematik 18 (1971).
    """
    squares = values * values
    high = values * _SPLITTER
    high -= high - values
    low = values - high
    return np.stack([squares, ((high * high - squares) + 2 * high * low) + low * low])
