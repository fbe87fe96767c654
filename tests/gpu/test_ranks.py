"""Ranks that train on GPUs, or share one: the same bits for every split, by every transport."""

import numpy as np
import pytest
from helpers.device_jobs import hashes
from helpers.halves import PRECISIONS

import distgrad as dg
from distgrad.backend import to_device, to_host
from distgrad.backend.devices import namespace_of
from distgrad.backend.nccl import nccl_problem
from distgrad.distributed import SingleProcess
from distgrad.distributed.device.nccl import Nccl
from distgrad.errors import TrainingError

DEVICE = "cuda:0"


@pytest.mark.parametrize("precision", ["fp32", *PRECISIONS])
def test_every_split_gives_the_bits_of_one_rank(precision: str) -> None:
    of_one_rank = hashes(1, "cuda", "even", precision, "auto")
    for transport in ("auto", "ipc", "staged"):
        for ranks, division in ((2, "even"), (3, "random"), (4, "last")):
            found = hashes(ranks, "cuda", division, precision, transport)
            assert found == of_one_rank, (transport, ranks, division)


def test_prefetched_batches_are_those_of_the_host() -> None:
    x = np.random.default_rng(0).random((512, 3000), dtype=np.float32)
    data = dg.data.TensorDataset(x=x)
    windows, of_host = (dg.data.GlobalBatches(data, 512, 32) for _ in range(2))
    for window, other in zip(dg.data.on_device(windows, DEVICE), of_host, strict=True):
        moved = []
        for m in range(len(window)):
            moved.append(window.micro_batch(m).x)
            for _ in range(20):  # keeps the GPU busy while the next one is copied
                moved[-1] @ moved[-1].T
        for m, batch in enumerate(moved):
            np.testing.assert_array_equal(to_host(batch.data), other.micro_batch(m).x.data)


def test_nccl_with_one_rank() -> None:
    problem = nccl_problem(namespace_of(DEVICE))
    if problem:
        pytest.skip(problem)
    nccl = Nccl(SingleProcess(), DEVICE)
    values = np.arange(1000, dtype=np.float32)
    array = to_device(values, DEVICE)
    nccl.broadcast(array, 0)
    nccl.all_reduce(array)
    nccl.all_gather_slices(array, [0, 1000])
    nccl.exchange({}, {})
    np.testing.assert_array_equal(to_host(nccl.all_gather(array))[0], values)
    np.testing.assert_array_equal(to_host(array), values)
    nccl.abort()
    with pytest.raises(TrainingError, match="NCCL was ended on this rank"):
        nccl.all_reduce(array)
