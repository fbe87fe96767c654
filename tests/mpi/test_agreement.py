"""The ranks begin with one model, or with an error that says how theirs differ."""

import numpy as np
import pytest
from helpers.data_parallel import classifier, weights

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel
from distgrad.errors import UsageError

pytestmark = pytest.mark.mpi


class Named(nn.Module):
    def __init__(self, name, value):
        super().__init__()
        self.register_parameter("weight", nn.Parameter(dg.zeros(2)))
        self.register_parameter(name, nn.Parameter(value))


def model_of(rank, last, what):
    """The model of each rank; that of the last rank differs."""
    odd = rank == last
    return {
        "shape": lambda: Named("bias", dg.zeros(3 if odd else 2)),
        "name": lambda: Named("offset" if odd else "bias", dg.zeros(2)),
        "dtype": lambda: Named("bias", dg.zeros(2, dtype=np.float64 if odd else np.float32)),
        "number": lambda: (
            nn.Linear(2, 1) if odd else nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 1))
        ),
    }[what]()


EXPECTED = {
    "shape": "entry 1 is 'bias' of shape (2,) and type float32 on rank 0 ({host}) but 'bias' of "
    "shape (3,) and type float32 on rank {last} ({host})",
    "name": "entry 1 is 'bias' of shape (2,) and type float32 on rank 0 ({host}) but 'offset' of "
    "shape (2,) and type float32 on rank {last} ({host})",
    "dtype": "entry 1 is 'bias' of shape (2,) and type float32 on rank 0 ({host}) but 'bias' of "
    "shape (2,) and type float64 on rank {last} ({host})",
    "number": "entry 0 is '0.weight' of shape (1, 2) and type float32 on rank 0 ({host}) but "
    "'weight' of shape (1, 2) and type float32 on rank {last} ({host})",
}


@pytest.mark.parametrize("what", EXPECTED)
def test_a_model_that_differs_is_refused_on_all_ranks(comm, what):
    model = model_of(comm.rank, comm.size - 1, what)
    if comm.size == 1:
        DataParallel(nn.Linear(2, 1), comm)
        return
    with pytest.raises(UsageError) as caught:
        DataParallel(model, comm)
    expected = EXPECTED[what].format(host=comm.host, last=comm.size - 1)
    assert str(caught.value) == (
        f"the model differs between ranks: {expected}; build the same model on every rank"
    )


def test_a_missing_parameter_is_named(comm):
    layers = [nn.Linear(2, 1, bias=False) for _ in range(1 if comm.rank else 2)]
    if comm.size == 1:
        DataParallel(nn.Sequential(*layers), comm)
        return
    with pytest.raises(UsageError, match=r"missing \(the model has 1 entries\) on rank 1"):
        DataParallel(nn.Sequential(*layers), comm)


def test_another_reduction_is_refused_on_all_ranks(comm):
    reduction = "allreduce" if comm.rank == comm.size - 1 else "tree"
    if comm.size == 1:
        DataParallel(classifier(), comm, reduction)
        return
    with pytest.raises(UsageError, match="reduction differs between ranks: 'tree' on rank 0"):
        DataParallel(classifier(), comm, reduction)


def test_buffers_are_compared_too(comm):
    model = nn.Linear(2, 1)
    model.register_buffer("mask", dg.zeros(comm.rank + 1))
    if comm.size == 1:
        DataParallel(model, comm)
        return
    with pytest.raises(UsageError, match=r"entry 2 is 'mask' of shape \(1,\)"):
        DataParallel(model, comm)


def test_values_are_those_of_rank_0(comm):
    dg.manual_seed(comm.rank)
    module = nn.Linear(3, 2)
    module.register_buffer("mean", dg.randn(3, 2).T)
    module.register_buffer("steps", dg.tensor(10 + comm.rank))
    module.register_buffer("seen", dg.tensor([comm.rank == 0, True]))
    expected = comm.all_gather_object(weights(module))[0]
    DataParallel(module, comm)
    assert weights(module) == expected
    assert module.steps.item() == 10
    assert module.seen.tolist() == [True, True]
