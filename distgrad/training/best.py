"""The best of the numbers that a run has shown."""

from dataclasses import dataclass

from distgrad.training.metrics import Mode

__all__ = ["Best"]


@dataclass
class Best:
    """The best number so far, and how long ago it was.

    Attributes:
        value: The number; None before the first.
        step: The step behind which it came.
        since: How many others came after it, none of them better.
        last: The last number of all.

    Example:
        >>> best = Best()
        >>> for step, number in enumerate([3.0, 1.0, 0.9], start=1):
        ...     best.note(number, step, min_delta=0.5)
        >>> best
        Best(value=1.0, step=2, since=1, last=0.9)
    """

    value: float | None = None
    step: int | None = None
    since: int = 0
    last: float | None = None

    def note(self, number: float, step: int, mode: Mode = "min", min_delta: float = 0.0) -> None:
        """Look at the next number, which is better if it is so by more than ``min_delta``."""
        self.last = number
        self.since += 1
        if self.value is not None:
            gain = self.value - number if mode == "min" else number - self.value
            if not gain > min_delta:
                return
        self.value, self.step, self.since = number, step, 0
