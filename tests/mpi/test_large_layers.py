"""Layers as large as products have code of their own for: the bits of one process."""

from typing import Any

import numpy as np
import pytest
from helpers.data_parallel import classification_loss, weights

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel

pytestmark = pytest.mark.mpi

INPUTS, HIDDEN, CLASSES = 300, 256, 130


def train(comm: Any, micro_batch: int) -> Any:
    dg.manual_seed(5)
    module = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES))
    model = DataParallel(module, comm)
    optimizer = dg.optim.AdamW(model.parameters(), lr=0.01)
    rng = np.random.default_rng(2)
    samples = 5 * micro_batch + 21  # the last micro-batch is smaller
    x = rng.standard_normal((samples, INPUTS), np.float32)
    y = rng.integers(0, CLASSES, samples)
    data = dg.data.TensorDataset(x=x, y=y)
    windows = dg.data.GlobalBatches(data, samples, micro_batch, seed=3)
    history = []
    for _ in range(2):
        for window in windows:
            history.append(model.accumulate(classification_loss(model), window))
            optimizer.step()
    return weights(model), history


@pytest.mark.parametrize("micro_batch", [64, 40])
def test_training_gives_the_bits_of_one_process(comm: Any, alone: Any, micro_batch: int) -> None:
    result = train(comm, micro_batch)
    assert result == train(alone, micro_batch)
    assert len(set(comm.all_gather_object(repr(result)))) == 1
