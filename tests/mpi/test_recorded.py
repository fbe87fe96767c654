"""Replayed micro-batches on several ranks: the bits of one process that runs them eagerly."""

import pytest
from helpers.data_parallel import classifier, ragged_data, weights

import distgrad as dg
import distgrad.nn.functional as F
from distgrad.distributed import DataParallel
from distgrad.distributed.data_parallel import recorded_passes

pytestmark = pytest.mark.mpi

# (samples, global batch, micro-batch): aligned and unaligned ranges, short micro-batches and
# windows, and windows in which ranks are idle.
CUTS = [(96, 32, 4), (80, 36, 7), (87, 26, 2), (24, 3, 3)]


def train(comm, cut, capture, reduction="tree", epochs=3):
    samples, global_batch, micro_batch = cut
    model = DataParallel(classifier(dropout=0.3), comm, reduction, capture=capture)
    optimizer = dg.optim.AdamW(model.parameters(), lr=0.01)
    windows = dg.data.GlobalBatches(ragged_data(samples), global_batch, micro_batch, seed=3)

    def loss(batch):
        scores = model(batch.x)
        return F.cross_entropy(scores, batch.y, reduction="sum"), (batch.y >= 0).sum()

    history = []
    for _ in range(epochs):
        for window in windows:
            history.append(model.accumulate(loss, window))
            history.append(model.clip_grad_norm_(0.5))
            optimizer.step()
    return weights(model), history


@pytest.fixture
def replays(monkeypatch):
    found, inner = [], recorded_passes._replayed
    monkeypatch.setattr(recorded_passes, "_replayed", lambda *args: found.append(1) or inner(*args))
    return found


@pytest.mark.parametrize("cut", CUTS)
def test_a_replayed_run_has_the_bits_of_one_eager_process(comm, alone, cut, replays):
    result = train(comm, cut, capture=True)
    assert result == train(alone, cut, capture=False)
    assert sum(comm.all_gather_object(len(replays)))


@pytest.mark.parametrize("cut", CUTS)
def test_allreduce_has_the_bits_of_an_eager_run_of_as_many_ranks(comm, cut):
    captured, eager = (train(comm, cut, capture, "allreduce") for capture in (True, False))
    assert captured == eager


@pytest.mark.parametrize("cut", CUTS[:2])
def test_ranks_may_differ_in_what_they_replay(comm, alone, cut):
    """A loss that one rank cannot record, as the others can."""
    result = train(comm, cut, capture=comm.rank % 2 == 0)
    assert result == train(alone, cut, capture=False)
