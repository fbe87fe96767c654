"""What a checkpoint may hold."""

import numpy as np
import pytest

from distgrad.training.checkpoint import Checkpoint


def test_a_negative_step_is_refused() -> None:
    with pytest.raises(ValueError, match="step of a checkpoint must be at least 0, got -1"):
        Checkpoint(-1, {}, {})


@pytest.mark.parametrize("group", ["", "a/b", "..", "model.ema", "ä"])
def test_a_group_is_the_name_of_a_file(group: str) -> None:
    with pytest.raises(ValueError, match="must be made of letters, digits, _ and - only") as raised:
        Checkpoint(0, {group: {"w": np.ones(1)}}, {})
    assert repr(group) in str(raised.value)
