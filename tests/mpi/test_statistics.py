"""Running statistics are those of one process, for every division of the global batch."""

import numpy as np
import pytest
from helpers.data_parallel import weights
from helpers.statistics import Normalized, images, normalized_loss

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel

pytestmark = pytest.mark.mpi


def train(comm, micro_batch, reduction="tree"):
    model = DataParallel(Normalized(), comm, reduction)
    optimizer = dg.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for window in dg.data.GlobalBatches(images(), 17, micro_batch, seed=2):
        result = model.accumulate(normalized_loss(model), window)
        if result.finite:
            model.clip_grad_norm_(1.0)
            optimizer.step()
    return weights(model)


@pytest.mark.parametrize("micro_batch", [3, 6, 11])
def test_they_are_those_of_one_process(comm, alone, micro_batch):
    found = train(comm, micro_batch)
    assert found == train(alone, micro_batch)
    assert len(set(comm.all_gather_object(repr(found)))) == 1


def test_allreduce_keeps_them_equal_on_all_ranks(comm):
    found = train(comm, 6, "allreduce")
    assert len(set(comm.all_gather_object(repr(found)))) == 1


def test_a_step_that_is_not_finite_on_one_rank_changes_them_on_none(comm):
    model = DataParallel(Normalized(), comm)
    before = weights(model)

    def loss(batch):
        total, count = normalized_loss(model)(batch)
        return total * (float("inf") if comm.rank == comm.size - 1 else 1.0), count

    (window, *_) = dg.data.GlobalBatches(images(), 16, 2)
    assert not model.accumulate(loss, window).finite
    assert weights(model) == before


def learn_table(comm, micro_batch):
    dg.manual_seed(3)
    table = nn.Embedding(9, 4, max_norm=0.5)
    model = DataParallel(table, comm)
    optimizer = dg.optim.SGD(model.parameters(), lr=0.5)
    rows = np.random.default_rng(0).integers(0, 8, 40)
    for window in dg.data.GlobalBatches(dg.data.TensorDataset(x=rows), 13, micro_batch, seed=2):
        model.accumulate(lambda batch: ((model(batch.x) ** 2).sum(), len(batch.x)), window)
        optimizer.step()
    return weights(model)


@pytest.mark.parametrize("micro_batch", [2, 5])
def test_rows_that_are_scaled_are_those_of_one_process(comm, alone, micro_batch):
    found = learn_table(comm, micro_batch)
    assert found == learn_table(alone, micro_batch)
    assert len(set(comm.all_gather_object(repr(found)))) == 1
