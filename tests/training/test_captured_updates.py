"""`training.capture` and the optimizer: its updates are graphs, and the run has the same bits."""

import logging

import pytest
from helpers import emulator
from helpers.device_with_kernels import device_with_kernels
from helpers.resuming import ended, trained, variant

from distgrad.distributed import SingleProcess
from distgrad.training import Trainer

pytestmark = pytest.mark.skipif(
    not emulator.available(), reason="no g++ here to compile CUDA C for the host"
)


def trainer_updates(trainer):
    optimizer = trainer.optimizer
    return getattr(optimizer, "_of_pieces", optimizer)._captured


@pytest.mark.parametrize("reduction", ["tree", "sharded"])
@pytest.mark.parametrize("kind", ["momentum", "adamw"])
def test_a_run_whose_updates_are_captured_has_the_same_bits(kind, reduction, caplog):
    runs = []
    for capture in ("false", "true"):
        with device_with_kernels() as graphs, caplog.at_level(logging.ERROR):
            settings = "run.device=cuda", f"distributed.reduction={reduction}"
            config = variant(kind, *settings, f"training.capture={capture}")
            trainer = Trainer(config, SingleProcess())
            runs.append((trained(trainer), ended(trainer)))
            assert trainer.optimizer.capture == (capture == "true")
            assert (graphs.replays > 2) == (capture == "true")
            assert (trainer_updates(trainer)._recorded is not None) == (capture == "true")
    assert runs[0] == runs[1]
