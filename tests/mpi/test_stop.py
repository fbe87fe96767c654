"""A request to stop, made on one rank, is known to all of them at the same step."""

import numpy as np
import pytest
from helpers.data_parallel import Pieces, classifier

import distgrad as dg
from distgrad.distributed import DataParallel
from distgrad.errors import Interrupted, RankError

pytestmark = pytest.mark.mpi


@pytest.fixture(params=["tree", "allreduce"])
def model(request, comm):
    return DataParallel(classifier(), comm, request.param)


@pytest.fixture(params=["first", "last"])
def asked(request, comm):
    """The rank that is asked to stop."""
    return 0 if request.param == "first" else comm.size - 1


def loss_of(model):
    return lambda micro_batch: (model(dg.ones((1, 6))).sum() * micro_batch, 1)


def test_the_step_in_which_one_rank_is_asked_is_whole_and_all_ranks_know(comm, model, asked):
    pieces = Pieces(range(2 * comm.size))
    undisturbed = model.accumulate(loss_of(model), pieces)
    assert not undisturbed.stop
    gradients = [p.grad.numpy().copy() for p in model.parameters()]

    def loss(micro_batch):
        if comm.rank == asked:
            model.request_stop()
        return loss_of(model)(micro_batch)

    result = model.accumulate(loss, pieces)
    assert result.stop
    assert (result.loss, result.finite) == (undisturbed.loss, True)
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        np.testing.assert_array_equal(parameter.grad.numpy(), gradient)


def test_what_was_asked_stays_asked(comm, model, asked):
    if comm.rank == asked:
        model.request_stop()
    for _ in range(2):
        assert model.accumulate(loss_of(model), Pieces(range(comm.size))).stop


def test_a_loop_of_ones_own_hears_of_it(comm, model, asked):
    for stops in (False, True):
        if stops and comm.rank == asked:
            model.request_stop()
        model.backward(model(dg.ones((1, 6))).sum(), 1)
        assert model.reduce().stop is stops


def test_an_evaluation_is_left_out_on_every_rank(comm, model, asked):
    samples = dg.data.TensorDataset(dg.arange(4.0 * comm.size))
    measured = []

    def measure(batch):
        measured.append(batch[0].item())
        if comm.rank == asked:
            model.request_stop()
        return {"value": (batch[0].sum(), 1)}

    with pytest.raises(Interrupted, match="a rank was asked to stop") as caught:
        model.evaluate(measure, samples, 1)
    assert caught.value.exit_status == 130
    assert len(measured) == (1 if comm.rank == asked else 4)
    assert model.module.training


def test_an_exception_counts_more_than_a_request(comm, model, asked):
    def loss(_):
        if comm.rank == asked:
            model.request_stop()
            raise KeyError("lost")
        return model(dg.ones((1, 6))).sum(), 1

    with pytest.raises(RankError, match="KeyError"):
        model.accumulate(loss, Pieces(range(comm.size)))
