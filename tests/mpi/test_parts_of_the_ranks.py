"""Models can be trained side by side, each by some of the ranks."""

import pytest
from helpers.data_parallel import classification_loss, classifier, ragged_data, weights
from mpi4py import MPI

import distgrad as dg
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.errors import RankError

pytestmark = pytest.mark.mpi


def train(comm, seed):
    model = DataParallel(classifier(dropout=0.2), comm)
    optimizer = dg.optim.SGD(model.parameters(), lr=0.1)
    for window in dg.data.GlobalBatches(ragged_data(30), 12, 5, seed=seed):
        model.accumulate(classification_loss(model), window)
        optimizer.step()
    return weights(model)


def test_each_part_gives_the_bits_of_one_process(half):
    seed = MPI.COMM_WORLD.rank % 2
    assert train(half, seed) == train(SingleProcess(), seed)


def test_a_failure_in_one_part_is_not_told_to_the_other(half):
    model = DataParallel(classifier(), half)
    fails = MPI.COMM_WORLD.rank % 2 == 0
    (window,) = dg.data.GlobalBatches(ragged_data(8), 8, 1)

    def loss(batch):
        if fails and half.rank == half.size - 1:
            raise KeyError("lost")
        return classification_loss(model)(batch)

    if fails:
        with pytest.raises(RankError) as caught:
            model.accumulate(loss, window)
        assert caught.value.rank == half.size - 1
    else:
        assert model.accumulate(loss, window).finite
