"""PyTorch's contract: `loss.backward()` averages over the ranks, with every rank weighing 1."""

import numpy as np
import pytest
from helpers.data_parallel import classifier, gradients

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel

pytestmark = pytest.mark.mpi


def batch_of(rank, number=0):
    rng = np.random.default_rng([rank, number])
    return dg.tensor(rng.standard_normal((2 + rank, 6)))


def local_loss(model, rank, number=0):
    return (model(batch_of(rank, number)) ** 2).mean()


def local_gradients(rank, numbers=(0,)):
    """What one rank's own gradients would be, without any other rank."""
    reference = classifier(dtype=np.float64)
    for number in numbers:
        local_loss(reference, rank, number).backward()
    return gradients(reference)


def mean_gradients(comm, numbers=(0,)):
    parts = [local_gradients(rank, numbers) for rank in range(comm.size)]
    return {name: sum(part[name] for part in parts) / comm.size for name in parts[0]}


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-13)


@pytest.fixture(params=["tree", "allreduce"])
def model(request, comm):
    return DataParallel(classifier(dtype=np.float64), comm, request.param)


def test_backward_averages_by_the_number_of_ranks(comm, model):
    local_loss(model, comm.rank).backward()
    assert_close(gradients(model), mean_gradients(comm))
    bits = {name: g.tobytes() for name, g in gradients(model).items()}
    assert comm.all_gather_object(bits) == [bits] * comm.size


def test_the_next_backward_adds_to_the_mean(comm, model):
    local_loss(model, comm.rank).backward()
    local_loss(model, comm.rank, 1).backward()
    assert_close(gradients(model), mean_gradients(comm, [0, 1]))
    model.module.zero_grad()
    local_loss(model, comm.rank, 2).backward()
    assert_close(gradients(model), mean_gradients(comm, [2]))


def test_no_sync_accumulates_and_the_next_backward_averages_the_total(comm, model):
    with model.no_sync():
        local_loss(model, comm.rank, 0).backward()
        local_loss(model, comm.rank, 1).backward()
    assert_close(gradients(model), local_gradients(comm.rank, [0, 1]))
    local_loss(model, comm.rank, 2).backward()
    assert_close(gradients(model), mean_gradients(comm, [0, 1, 2]))


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(6, 2, dtype=np.float64)
        self.b = nn.Linear(6, 2, dtype=np.float64)
        self.never = nn.Linear(6, 2, dtype=np.float64)

    def forward(self, x):
        return self.a(x), {"b": self.b(x)}


def test_a_parameter_that_some_ranks_did_not_use(comm):
    model = DataParallel(Branches(), comm)
    a, b = model(dg.ones((1, 6), dtype=np.float64))
    (b["b"].sum() if comm.rank == comm.size - 1 else a.sum()).backward()
    users = comm.size - 1
    found = gradients(model)
    np.testing.assert_allclose(found["b.bias"], [1 / comm.size] * 2)
    if users:
        np.testing.assert_allclose(found["a.bias"], [users / comm.size] * 2)
    else:
        assert found["a.bias"] is None
    assert found["never.bias"] is None


def test_two_outputs_are_averaged_once(comm):
    model = DataParallel(Branches(), comm)
    a, b = model(dg.ones((1, 6), dtype=np.float64))
    ((comm.rank + 1) * (a.sum() + b["b"].sum())).backward()
    mean = (comm.size + 1) / 2
    np.testing.assert_allclose(gradients(model)["a.bias"], [mean] * 2)
    np.testing.assert_allclose(gradients(model)["b.bias"], [mean] * 2)


def test_training_keeps_the_ranks_alike(comm, model):
    optimizer = dg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for number in range(4):
        optimizer.zero_grad()
        local_loss(model, comm.rank, number).backward()
        model.clip_grad_norm_(1.0)
        optimizer.step()
    state = {name: value.tolist() for name, value in model.state_dict().items()}
    assert comm.all_gather_object(state) == [state] * comm.size


def test_accumulate_and_backward_can_take_turns(comm, model):
    class Window:
        seed, step = 0, 0

        def __len__(self):
            return comm.size

        def micro_batch(self, index):
            return index

    model.accumulate(lambda rank: (local_loss(model, rank), 1), Window())
    assert_close(gradients(model), mean_gradients(comm))
    model.module.zero_grad()
    local_loss(model, comm.rank).backward()
    assert_close(gradients(model), mean_gradients(comm))
