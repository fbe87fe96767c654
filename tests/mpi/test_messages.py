"""How often the ranks meet in a step, in messages and in shared memory."""

import numpy as np
import pytest
from helpers.data_parallel import Pieces, classification_loss, classifier, gradients, ragged_data

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel
from distgrad.flat import BLOCK

pytestmark = pytest.mark.mpi

MEETINGS = {
    "all_gather",
    "all_gather_object",
    "all_gather_slices",
    "all_reduce",
    "barrier",
    "exchange",
}


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
    return model.comm.met.copy()


def window_of(micro_batches):
    (window,) = dg.data.GlobalBatches(ragged_data(3 * micro_batches), 3 * micro_batches, 3)
    return window


@pytest.mark.parametrize("transport", ["mpi", "shared"])
@pytest.mark.parametrize("of_a_rank", [1, 2, 4])
def test_a_small_model_has_one_message_where_each_rank_has_one_part(comm, of_a_rank, transport):
    if comm.size == 1:
        pytest.skip("one rank sends nothing")
    model = DataParallel(classifier(), Counting(comm), transport=transport)
    met = met_in_a_step(model, classification_loss(model), window_of(of_a_rank * comm.size))
    assert met == ["all_gather"]


def test_where_a_rank_has_more_parts_they_follow_in_a_message(comm):
    if comm.size == 1:
        pytest.skip("one rank has one part")
    model = DataParallel(classifier(), Counting(comm), transport="mpi")
    met = met_in_a_step(model, classification_loss(model), window_of(5 * comm.size))
    assert met == ["all_gather", "all_gather"]


def test_where_a_rank_has_more_parts_they_are_shared_once(comm):
    if comm.size == 1:
        pytest.skip("one rank has one part")
    model = DataParallel(classifier(), Counting(comm), transport="shared")
    steps = [
        met_in_a_step(model, classification_loss(model), window_of(5 * comm.size)) for _ in range(5)
    ]
    shared = ["all_gather", *["all_gather_object"] * 3, "barrier"]
    assert steps == [shared, shared, *[["all_gather"]] * 3]  # two sets of buffers in turn


@pytest.mark.parametrize(
    ("transport", "expected"),
    [
        ("mpi", ["all_gather", "exchange", "all_gather_slices"]),
        ("shared", ["all_gather", "barrier"]),
    ],
)
def test_a_large_model_meets_behind_the_record(comm, transport, expected):
    if comm.size == 1:
        pytest.skip("one rank has no other to share memory with")
    model = DataParallel(nn.Linear(4 * BLOCK, 1, bias=False), Counting(comm), transport=transport)
    window = Pieces([dg.ones(1, 4 * BLOCK)] * comm.size)
    met = met_in_a_step(model, lambda x: (model(x).sum(), 1), window)
    assert met == expected


@pytest.mark.parametrize("transport", ["mpi", "auto"])
def test_the_bits_are_the_same_for_small_and_large_models(comm, transport):
    model = DataParallel(classifier(), comm, transport=transport)
    large = nn.ModuleList([classifier(), nn.Linear(4 * BLOCK, 1)])
    wide = DataParallel(large, comm, transport=transport)
    window = window_of(11)
    model.accumulate(classification_loss(model), window)
    loss = classification_loss(wide.module[0])
    wide.accumulate(loss, window)
    expected = gradients(model.module)
    for name, gradient in gradients(wide.module[0]).items():
        np.testing.assert_array_equal(gradient, expected[name])
