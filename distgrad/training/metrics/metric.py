"""`Metric`: a number that follows from sums over all test samples."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from distgrad.errors import TrainingError
from distgrad.tensor import Tensor

__all__ = ["Mean", "Metric", "Mode", "Sums", "Value", "number_of", "ratio"]

Mode: TypeAlias = Literal["min", "max"]
"""Which of two numbers is the better one."""

Sums: TypeAlias = Mapping[str, Fraction | float]
"""Sums by name, over all samples and all ranks: exact, and floats where they are not finite."""

Value: TypeAlias = float | list[Any]
"""A number, or a table of numbers."""


class Metric:
    """What an evaluation measures of a model's outputs and the targets.

    It says what is added up over all test samples, and what follows from the sums. They are exact,
    so that the value depends neither on the number of ranks nor on how samples are cut into
    batches, if those do not change what the model says of a sample.

    Attributes:
        name: What the value is called.
        mode: "min" where less is better, "max" where more is; None where neither is.

    Example:
        >>> import distgrad as dg
        >>> class Bias(Metric):
        ...     name = "bias"
        ...     def addends(self, output, target):
        ...         return {"errors": output - target, "count": target.numel()}
        ...     def value(self, sums):
        ...         return sums["errors"] / sums["count"]
        >>> Bias().addends(dg.tensor([3.0]), dg.tensor([2.0]))
        {'errors': tensor([1.]), 'count': 1}
    """

    name: str
    mode: Mode | None = None

    def addends(self, output: Tensor, target: Tensor) -> Mapping[str, Any]:
        """Return what a batch adds to each of the sums, by name.

        Numbers, or Tensors and arrays all of whose elements are added. A name that no batch has is
        not among the sums.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define addends()")

    def value(self, sums: Sums) -> Any:
        """Return what follows from the sums: a number, or a list of rows of numbers."""
        raise NotImplementedError(f"{type(self).__name__} does not define value()")


class Mean(Metric):
    """The mean of what a function returns for each batch, a sum and what it counts.

    Args:
        name: What the value is called.
        function: Maps outputs and targets to (sum, count).
        mode: Whether less of it is better, or more.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[Tensor, Tensor], tuple[Any, float]],
        mode: Mode | None = None,
    ) -> None:
        self.name = name
        self.mode = mode
        self._function = function

    def addends(self, output: Tensor, target: Tensor) -> dict[str, Any]:
        """Return the sum and the count."""
        total, count = self._function(output, target)
        return {"sum": total, "count": count}

    def value(self, sums: Sums) -> float:
        """Return their ratio."""
        # Rounded before it is divided, as `DataParallel.evaluate` does.
        return ratio(_rounded(sums["sum"]), _rounded(sums["count"]))


def number_of(test: Mapping[str, Value], name: str) -> float:
    """Return a number of an evaluation by which something is decided.

    Raises:
        TrainingError: If it is a table of numbers.
    """
    value = test[name]
    if isinstance(value, list):
        raise TrainingError(
            f"{name} is a table of numbers, by which nothing can be decided; let training.monitor "
            "or scheduler.metric name another metric"
        )
    return value


def ratio(a: Fraction | float, b: Fraction | float) -> float:
    """Return a / b as a float; nan where b is 0."""
    return float(a / b) if b else math.nan


def _rounded(exact: Fraction | float) -> float:
    try:
        return float(exact)
    except OverflowError:  # of a sum of finite numbers
        return math.inf if exact > 0 else -math.inf
