"""Parameters that are no longer the same on all ranks are found, and named."""

import numpy as np
import pytest
from helpers.data_parallel import Pieces

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel
from distgrad.errors import TrainingError

pytestmark = pytest.mark.mpi

BLOCKS = 3


@pytest.fixture(params=["tree", "allreduce"])
def model(request, comm):
    dg.manual_seed(0)
    layers = nn.Sequential(nn.Linear(400, 300), nn.Linear(300, 200))
    model = DataParallel(layers, comm, request.param)
    assert 2 * 65_536 < sum(p.numel() for p in model.parameters()) < BLOCKS * 65_536
    return model


def step(model, number):
    return model.accumulate(
        lambda _: (model(dg.ones((1, 400))).sum(), 1), Pieces(range(model.comm.size), number)
    )


def steps_until_found(model):
    for number in range(BLOCKS):
        try:
            step(model, number)
        except TrainingError as error:
            return number, str(error)
    raise AssertionError("not found within one rotation")


def flip_a_bit(parameter):
    parameter.data.reshape(-1).view(np.uint8)[-1] ^= 1


@pytest.mark.parametrize(("name", "found_at"), [("0.weight", 1), ("1.bias", 2)])
def test_one_bit_on_one_rank_is_found_within_one_rotation(comm, model, name, found_at):
    if comm.size == 1:
        pytest.skip("one rank cannot drift from itself")
    before = step(model, 0)
    assert before.finite
    for number in range(1, BLOCKS):
        step(model, number)
    if comm.rank == comm.size - 1:
        flip_a_bit(dict(model.named_parameters())[name])
    number, message = steps_until_found(model)
    assert number == found_at
    assert repr(name) in message
    assert f"found in accumulate of step {found_at + 1}, " in message
    assert f"within the last {BLOCKS} of such calls" in message
    last = f"rank {comm.size - 1} ({comm.host})"
    if comm.size == 2:
        assert f"differs between rank 0 ({comm.host}) and {last}, of which none" in message
    else:
        assert f"has other values on {last} than on the other {comm.size - 1} ranks" in message


def test_several_parameters_are_counted(comm, model):
    if comm.size == 1:
        pytest.skip("one rank cannot drift from itself")
    if comm.rank == 0:
        for parameter in model.parameters():
            flip_a_bit(parameter)
    _, message = steps_until_found(model)
    assert "'0.weight' and 3 more" in message


def test_it_is_found_by_whatever_call_comes_next(comm, model):
    if comm.size == 1:
        pytest.skip("one rank cannot drift from itself")
    if comm.rank == 0:
        flip_a_bit(dict(model.named_parameters())["1.bias"])
    samples = dg.data.TensorDataset(dg.ones(comm.size, 400))

    def evaluate():
        model.evaluate(lambda batch: {"value": (model(batch[0]).sum(), 1)}, samples, 1)

    evaluate()
    model.backward(model(dg.ones((1, 400))).sum(), 1)
    assert model.reduce().finite
    with pytest.raises(TrainingError, match=r"found in evaluate of \d+ samples"):
        evaluate()


def test_ranks_that_train_together_never_drift(comm, model):
    optimizer = dg.optim.SGD(model.parameters(), lr=1e-3)
    for number in range(2 * BLOCKS):
        assert step(model, number).finite
        optimizer.step()
