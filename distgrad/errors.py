"""The exceptions that distgrad itself defines; each knows the exit status that it stands for.

Wrong arguments to library functions raise the built-in ``ValueError``, ``TypeError``,
``IndexError`` and ``RuntimeError``, as PyTorch does.
"""

__all__ = [
    "DeviceError",
    "DistgradError",
    "Interrupted",
    "RankError",
    "TrainingError",
    "UsageError",
]


class DistgradError(Exception):
    """Base class of distgrad's own exceptions."""

    exit_status = 1


class UsageError(DistgradError):
    """Bad usage, configuration or data, found before the first step."""

    exit_status = 2


class DeviceError(UsageError, RuntimeError):
    """A device that is not there, or that nothing is installed for."""


class TrainingError(DistgradError):
    """Training failed: a non-finite value, an exception on a rank, ranks out of step."""

    exit_status = 3


class RankError(TrainingError):
    """An exception on one rank, raised on all of them.

    Attributes:
        rank: Where it happened.
    """

    def __init__(self, message: str, rank: int) -> None:
        super().__init__(message)
        self.rank = rank


class Interrupted(DistgradError):  # noqa: N818 (nothing went wrong)
    """The ranks were asked to stop, and did so together."""

    exit_status = 130
