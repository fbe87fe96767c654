"""Arrays of the strict double of a GPU between ranks, by each transport."""

import sys

import numpy as np
import pytest
from helpers.device_transports import MAKERS
from helpers.strict_device import double, strict_device

from distgrad.backend import to_device, to_host
from distgrad.distributed.device import DeviceCommunicator

pytestmark = pytest.mark.mpi

DEVICE = "cuda:0"
SIZES = [0, 1, 7, 1000]
DTYPES = ["bool", "uint8", "int64", "float16", "float32", "float64"]


@pytest.fixture(autouse=True, scope="module")
def device():
    with strict_device():
        yield DEVICE
        vars(double.xp).pop("cuda", None)  # the fake NCCL
        sys.modules.pop(f"{double.xp.__name__}.cuda.nccl", None)


@pytest.fixture(params=MAKERS, scope="module")
def devices(request, comm, device):
    return DeviceCommunicator(comm, MAKERS[request.param](comm, device))


def own(comm, shape, dtype="float32"):
    values = np.random.default_rng(comm.rank).integers(0, 100, shape).astype(dtype)
    return values, to_device(values, DEVICE)


def test_broadcast(comm, devices):
    for root in range(comm.size):
        for size in SIZES:
            for dtype in DTYPES:
                host, array = own(comm, size, dtype)
                comm.broadcast(host, root)
                devices.broadcast(array, root)
                np.testing.assert_array_equal(to_host(array), host)


def test_broadcast_refuses_a_root_that_is_no_rank(devices):
    with pytest.raises(ValueError, match="broadcast from rank 4096: the ranks are 0 to"):
        devices.broadcast(double.xp.zeros(3), 4096)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_reduce(comm, devices, dtype):
    for size in SIZES:
        host, array = own(comm, size, dtype)
        comm.all_reduce(host)
        devices.all_reduce(array)
        np.testing.assert_array_equal(to_host(array), host)  # whole numbers: any order is exact


@pytest.mark.parametrize("shape", [(0, 3), (), (3, 5), (40, 7)])
def test_all_gather(comm, devices, shape):
    for dtype in DTYPES:
        host, array = own(comm, shape, dtype)
        result = devices.all_gather(array)
        np.testing.assert_array_equal(to_host(result), comm.all_gather(np.asarray(host)))
        np.testing.assert_array_equal(to_host(array), host)


@pytest.mark.parametrize("each", [0, 1, 300])
def test_all_gather_slices_of_uneven_lengths(comm, devices, each):
    bounds = [each * rank * (rank + 1) // 2 for rank in range(comm.size + 1)]
    host, array = own(comm, bounds[-1])
    comm.all_gather_slices(host, bounds)
    devices.all_gather_slices(array, bounds)
    np.testing.assert_array_equal(to_host(array), host)


def test_exchange_of_several_arrays_of_all_sizes_with_each_peer(comm, devices):
    peers = [rank for rank in range(comm.size) if rank != comm.rank]

    def sent(source, target):
        generator = np.random.default_rng([source, target])
        sizes = [(source + 2 * target) * 37, 0, 5, source * 300]
        return [generator.random(size, dtype=np.float32) for size in sizes]

    outgoing = {peer: [to_device(a, DEVICE) for a in sent(comm.rank, peer)] for peer in peers}
    expected = {peer: sent(peer, comm.rank) for peer in peers}
    incoming = {
        peer: [double.xp.empty(array.shape, array.dtype) for array in arrays]
        for peer, arrays in expected.items()
    }
    devices.exchange(outgoing, incoming)
    for peer in peers:
        for array, values in zip(incoming[peer], expected[peer], strict=True):
            np.testing.assert_array_equal(to_host(array), values)


def test_exchange_in_one_direction_and_of_nothing(comm, devices):
    array = double.xp.full(999, comm.rank, "float32")
    nothing = double.xp.zeros(0, "float32")
    others = [rank for rank in range(comm.size) if rank != comm.rank]
    devices.exchange({peer: [nothing] for peer in others}, {peer: [nothing] for peer in others})
    if comm.size > 1:
        outgoing = {1: [array]} if comm.rank == 0 else {}
        incoming = {0: [array]} if comm.rank == 1 else {}
        devices.exchange(outgoing, incoming)
        assert to_host(array).tolist() == [float(0 if comm.rank < 2 else comm.rank)] * 999


def test_exchange_refuses_itself_as_a_peer(comm, devices):
    with pytest.raises(ValueError, match="that is this rank itself"):
        devices.exchange({comm.rank: [double.xp.zeros(3)]}, {})


def test_arrays_of_the_host_go_as_they_did(comm, devices):
    gathered = devices.all_gather(np.array([comm.rank]))
    assert type(gathered) is np.ndarray
    assert gathered.ravel().tolist() == list(range(comm.size))
    assert devices.all_gather_object(comm.rank) == list(range(comm.size))
    assert (devices.rank, devices.size, devices.host) == (comm.rank, comm.size, comm.host)
    devices.barrier()
