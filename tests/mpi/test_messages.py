"""How often the ranks meet in a step: gradients that are few travel with the record."""

import numpy as np
import pytest
from helpers.data_parallel import Pieces, classification_loss, classifier, gradients, ragged_data

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel
from distgrad.flat import BLOCK

pytestmark = pytest.mark.mpi

MEETINGS = {"all_gather", "all_reduce", "all_gather_slices", "exchange", "all_gather_object"}


class Counting:
    """A communicator that lists what its rank does with the others."""

    def __init__(self, comm):
        self._comm = comm
        self.met = []

    def __getattr__(self, name):
        if name in MEETINGS:
            self.met.append(name)
        return getattr(self._comm, name)


def met_in_a_step(model, loss, window):
    model.comm.met.clear()
    model.accumulate(loss, window)
    return model.comm.met


def window_of(micro_batches):
    (window,) = dg.data.GlobalBatches(ragged_data(3 * micro_batches), 3 * micro_batches, 3)
    return window


@pytest.mark.parametrize("of_a_rank", [1, 2, 4])
def test_a_small_model_has_one_message_where_each_rank_has_one_part(comm, of_a_rank):
    if comm.size == 1:
        pytest.skip("one rank sends nothing")
    model = DataParallel(classifier(), Counting(comm))
    met = met_in_a_step(model, classification_loss(model), window_of(of_a_rank * comm.size))
    assert met == ["all_gather"]


def test_where_a_rank_has_more_parts_they_follow(comm):
    if comm.size == 1:
        pytest.skip("one rank has one part")
    model = DataParallel(classifier(), Counting(comm))
    met = met_in_a_step(model, classification_loss(model), window_of(5 * comm.size))
    assert met == ["all_gather", "all_gather"]


def test_a_large_model_exchanges_slices_behind_the_record(comm):
    model = DataParallel(nn.Linear(4 * BLOCK, 1, bias=False), Counting(comm))
    window = Pieces([dg.ones(1, 4 * BLOCK)] * comm.size)
    met = met_in_a_step(model, lambda x: (model(x).sum(), 1), window)
    assert met == ["all_gather", "exchange", "all_gather_slices"]


def test_the_bits_are_the_same_with_and_without_the_record(comm):
    model = DataParallel(classifier(), comm)
    wide = DataParallel(nn.ModuleList([classifier(), nn.Linear(4 * BLOCK, 1)]), comm)
    window = window_of(11)
    model.accumulate(classification_loss(model), window)
    loss = classification_loss(wide.module[0])
    wide.accumulate(loss, window)
    expected = gradients(model.module)
    for name, gradient in gradients(wide.module[0]).items():
        np.testing.assert_array_equal(gradient, expected[name])
