import pytest

from distgrad.training.config import TrainingConfig
from distgrad.training.stopping import Stopping


def epochs_until_stop(losses, **limits):
    stopping = Stopping(TrainingConfig(loss="mse", **limits))
    for epoch, loss in enumerate(losses, start=1):
        if stopping.holds_after(epoch, loss):
            return epoch
    return None


@pytest.mark.parametrize(
    ("limits", "epochs"),
    [
        ({"max_epochs": 3}, 3),
        ({"max_steps": 1}, None),  # not looked at by epoch
        ({"target_loss": 0.5}, 2),
        ({"target_loss": 0.1}, None),
        ({"patience": 1}, 3),  # 0.5 again is no progress
        ({"patience": 2}, 4),
        ({"patience": 3}, None),  # 0.4 begins anew
        ({"patience": 2, "max_epochs": 3}, 3),
        ({"target_loss": 0.5, "patience": 1}, 2),
    ],
)
def test_the_first_condition_that_holds_ends_the_run(limits, epochs):
    assert epochs_until_stop([0.9, 0.5, 0.5, 0.6, 0.4], **limits) == epochs
