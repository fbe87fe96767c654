"""What an evaluation measures: the loss, what belongs to it, and the metrics of a configuration."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from distgrad.backend import to_host
from distgrad.errors import TrainingError, UsageError
from distgrad.tensor import Tensor
from distgrad.training.metrics import Mean, Metric, Mode, Sums, Value
from distgrad.training.objective import Objective

__all__ = ["Measurements"]

_MODES: Mapping[str, Mode] = {
    "loss": "min",
    "accuracy": "max",
    "bits_per_token": "min",
    "perplexity": "min",
}
"""Of what losses measure, under the names that they give it."""


class Measurements:
    """All that a run measures on its test samples, as sums over them.

    Args:
        objective: What is minimised.
        metrics: What is measured besides; in place of what the objective measures under that name.

    Attributes:
        metrics: All of them, but for what follows from the mean loss.

    Raises:
        UsageError: If two metrics have one name, or one is called like the loss.
    """

    def __init__(self, objective: Objective, metrics: Iterable[Metric] = ()) -> None:
        self._objective = objective
        self._own = list(metrics)
        _check_names(self._own)
        names = {metric.name for metric in self._own}
        self._means = [
            Mean(name, function, _MODES.get(name))
            for name, function in sorted(objective.measured.items())
            if name not in names
        ]
        self._derived = [name for name in objective.derived if name not in names]
        self.metrics = [*self._means, *self._own]

    @property
    def modes(self) -> dict[str, Mode | None]:
        """Whether less or more is better, by the names of all that is measured."""
        modes = {metric.name: metric.mode for metric in self.metrics}
        return modes | {name: _MODES.get(name) for name in self._derived}

    def addends(self, output: Tensor, target: Tensor) -> dict[str, Any]:
        """Return what a batch adds to the sums, of all metrics.

        Metrics of the configuration are given arrays of NumPy, on whatever device they were made.
        """
        added: dict[str, Any] = {}
        on_host = [_on_host(part) for part in (output, target)] if self._own else []
        for place, metric in enumerate(self.metrics):
            given = (output, target) if place < len(self._means) else on_host
            for name, value in metric.addends(*given).items():
                # A Tensor of one element is a number, and others are arrays.
                added[f"{place} {name}"] = value.data if isinstance(value, Tensor) else value
        return added

    def values(self, sums: Sums) -> dict[str, Value]:
        """Return what follows from the sums over all test samples.

        Raises:
            TrainingError: If something is not finite, or a metric fails.
        """
        of_metric: list[dict[str, Fraction | float]] = [{} for _ in self.metrics]
        for name, total in sums.items():
            place, _, own_name = name.partition(" ")
            of_metric[int(place)][own_name] = total
        of_means = zip(self._means, of_metric, strict=False)
        means = {mean.name: mean.value(of) for mean, of in of_means}
        completed = self._objective.completed(means)
        measured: dict[str, Value] = {name: completed[name] for name in [*means, *self._derived]}
        for metric, of in zip(self._own, of_metric[len(means) :], strict=True):
            measured[metric.name] = _value(metric, of)
        for name, value in measured.items():
            _check_finite(name, value)
        return measured


def _on_host(tensor: Any) -> Any:
    return Tensor(to_host(tensor.data)) if isinstance(tensor, Tensor) else tensor


def _check_names(metrics: list[Metric]) -> None:
    for name, number in Counter(metric.name for metric in metrics).items():
        if number > 1:
            raise UsageError(
                f"training.metrics has {number} metrics called {name}; leave one out, or give it "
                "another name"
            )
        if name == "loss":
            raise UsageError("training.metrics: a metric cannot be called loss: that is measured")


def _value(metric: Metric, sums: Sums) -> Value:
    try:
        return _plain(metric.value(sums))
    except Exception as error:  # the same on all ranks, as the sums are
        raise TrainingError(f"the metric {metric.name} has failed: {error!r}") from error


def _plain(value: Any) -> Value:
    """Return a value as JSON has it."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, int) else float(value)


def _check_finite(name: str, value: Value) -> None:
    if isinstance(value, list):
        for item in value:
            _check_finite(name, item)
    elif not math.isfinite(value):
        raise TrainingError(f"the {name} of the test samples is not finite ({value:g})")
