"""distgrad's own exceptions and the exit statuses they stand for."""

from distgrad.errors import DistgradError, TrainingError, UsageError


def test_exit_statuses() -> None:
    assert (DistgradError.exit_status, UsageError.exit_status, TrainingError.exit_status) == (
        1,
        2,
        3,
    )


def test_one_base() -> None:
    assert issubclass(UsageError, DistgradError)
    assert issubclass(TrainingError, DistgradError)
