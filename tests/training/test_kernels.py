"""The kernels that a configuration chooses."""

from importlib.util import find_spec
from typing import Any

import pytest
from helpers.configs import tiny_config

from distgrad.backend.kernels import choice, kernels_in_use, use_kernels
from distgrad.distributed import SingleProcess
from distgrad.errors import UsageError
from distgrad.training import Trainer


def losses(*assignments: str) -> list[float]:
    trainer = Trainer(tiny_config("training.max_epochs=2", *assignments), SingleProcess())
    return [report.loss for report in trainer.steps()]


@pytest.mark.skipif(find_spec("numba") is None, reason="needs numba")
def test_a_run_computes_by_what_its_configuration_says() -> None:
    numpys = losses()
    assert kernels_in_use() == "numpy"
    numbas = losses("run.kernels=numba")
    assert kernels_in_use().startswith("numba ")
    assert losses("run.kernels=numpy") == numpys
    assert kernels_in_use() == "numpy"
    assert numbas == pytest.approx(numpys, rel=1e-4)


def test_a_configuration_asks_for_what_is_not_there(monkeypatch: Any) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="'numba', which is not installed here: install it with"):
        losses("run.kernels=numba")
    use_kernels("numpy")


def test_there_are_no_other_kernels() -> None:
    with pytest.raises(UsageError) as raised:
        tiny_config("run.kernels=jax")
    assert "run.kernels = \"jax\": must be 'auto', 'numpy' or 'numba'" in str(raised.value)
