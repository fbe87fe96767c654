"""Training gives the bits of one process: each rank runs that one process beside the job."""

import numpy as np
import pytest
from helpers.data_parallel import (
    Pieces,
    classification_loss,
    classifier,
    gradients,
    ragged_data,
    weights,
)

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel
from distgrad.flat import BLOCK

pytestmark = pytest.mark.mpi

# (samples, global batch, micro-batch): 4, 3, 7, 13 and 1 micro-batches in a window, partial last
# windows of fewer micro-batches than ranks, and partial last micro-batches.
CUTS = [(48, 16, 4), (40, 18, 7), (50, 41, 6), (29, 26, 2), (8, 3, 3)]


def train(comm, cut, reduction="tree", epochs=2, transport="auto"):
    samples, global_batch, micro_batch = cut
    model = DataParallel(classifier(dropout=0.3), comm, reduction, transport=transport)
    optimizer = dg.optim.AdamW(model.parameters(), lr=0.01)
    windows = dg.data.GlobalBatches(ragged_data(samples), global_batch, micro_batch, seed=3)
    history = []
    for _ in range(epochs):
        for window in windows:
            history.append(model.accumulate(classification_loss(model), window))
            history.append(model.clip_grad_norm_(0.5))
            optimizer.step()
    return weights(model), history


@pytest.mark.parametrize("transport", ["shared", "mpi"])
@pytest.mark.parametrize("cut", CUTS)
def test_training_gives_the_bits_of_one_process(comm, alone, cut, transport):
    result = train(comm, cut, transport=transport)
    assert result == train(alone, cut)
    assert len(set(comm.all_gather_object(repr(result)))) == 1


@pytest.mark.parametrize("cut", CUTS)
def test_allreduce_gives_all_ranks_the_same_bits_near_those_of_the_tree(comm, alone, cut):
    found, history = train(comm, cut, "allreduce")
    assert len(set(comm.all_gather_object(repr((found, history))))) == 1
    expected, _ = train(alone, cut)
    for name, (dtype, data) in found.items():
        np.testing.assert_allclose(
            np.frombuffer(data, dtype), np.frombuffer(expected[name][1], dtype), atol=1e-4
        )


@pytest.fixture(params=["shared", "mpi"])
def transport(request):
    return request.param


def random_gradients(comm, shapes, micro_batches, uses=lambda _: True, transport="auto"):
    """The gradients of a loss whose gradients are random numbers by micro-batch."""
    module = nn.Module()
    for number, shape in enumerate(shapes):
        module.register_parameter(f"p{number}", nn.Parameter(dg.zeros(shape)))
    model = DataParallel(module, comm, transport=transport)

    def loss(micro_batch):
        total = dg.zeros(())
        for number, parameter in enumerate(model.parameters()):
            if uses((micro_batch, number)):
                total = total + (parameter * dg.randn(*parameter.shape)).sum()
        return total, 3

    result = model.accumulate(loss, Pieces(range(micro_batches), step=2, seed=11))
    assert result.finite
    return {name: g if g is None else g.tobytes() for name, g in gradients(module).items()}


@pytest.mark.parametrize("micro_batches", [1, 2, 3, 5, 6, 8, 11, 16])
def test_any_number_of_micro_batches(comm, alone, micro_batches):
    found = random_gradients(comm, [(3, 5), (7,)], micro_batches)
    assert found == random_gradients(alone, [(3, 5), (7,)], micro_batches)


@pytest.mark.parametrize("size", [BLOCK - 16, BLOCK, BLOCK + 16, 3 * BLOCK, 7 * BLOCK + 1000])
def test_slices_of_several_owners(comm, alone, size, transport):
    shapes = [(5,), (size // 1000, 1000), (size % 1000 + 1,)]
    found = random_gradients(comm, shapes, 5, transport=transport)
    assert found == random_gradients(alone, shapes, 5)


def test_parameters_that_some_micro_batches_do_not_use(comm, alone, transport):
    def uses(place):
        micro_batch, number = place
        return number == 0 or (number < 4 and micro_batch % (number + 1) == number)

    shapes = [(3,)] * 5
    found = random_gradients(comm, shapes, 7, uses, transport)
    assert found == random_gradients(alone, shapes, 7, uses)
    assert found["p4"] is None
    assert found["p3"] is not None
