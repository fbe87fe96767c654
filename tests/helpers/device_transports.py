"""Transports of arrays on the strict double, and doubles of what CI has no hardware for."""

import ctypes
import sys
from types import MappingProxyType, SimpleNamespace

import numpy as np
from helpers.strict_device import device_array, double
from mpi4py import MPI

from distgrad.backend.copies import CopiesAtOnce, copies_of
from distgrad.distributed.device.cuda_aware import CudaAware
from distgrad.distributed.device.ipc import Ipc
from distgrad.distributed.device.nccl import Nccl
from distgrad.distributed.device.staged import Staged

__all__ = ["MAKERS", "FakeNccl", "TakesDeviceArrays"]


class LateCopies(CopiesAtOnce):
    """Copies that are made, in their order, when somebody waits for one, and not before."""

    def __init__(self, device):
        super().__init__(device)
        self._begun = []

    def buffer(self, nbytes):
        return np.full(nbytes, 255, np.uint8)

    def to_host(self, source, target):
        return self._later(lambda: super(LateCopies, self).to_host(source, target))

    def to_device(self, source, target):
        return self._later(lambda: super(LateCopies, self).to_device(source, target))

    def follow(self):
        self.synchronize()

    def synchronize(self):
        self._make(len(self._begun))

    def _later(self, make):
        self._begun.append(make)
        until = len(self._begun)
        return SimpleNamespace(synchronize=lambda: self._make(until))

    def _make(self, until):
        for place in range(until):
            make, self._begun[place] = self._begun[place], lambda: None
            make()


class TakesDeviceArrays:
    """A communicator whose MPI reads the memory of arrays on the double, as one with CUDA does.

    It refuses arrays that nobody has waited for.
    """

    memory_kinds = "system,cuda"

    def __init__(self, comm):
        self._comm = comm
        self.rank, self.size, self.host = comm.rank, comm.size, comm.host
        self._waited = 0

    def _memory(self, array):
        assert isinstance(array, device_array)
        assert array.flags.c_contiguous
        return array._host

    def _check_waited(self):
        now = double.calls["synchronize"]
        assert now > self._waited, "the stream was not synchronised before MPI was called"
        self._waited = now

    def broadcast(self, array, root=0):
        self._check_waited()
        self._comm.broadcast(self._memory(array), root)

    def all_reduce(self, array):
        self._check_waited()
        self._comm.all_reduce(self._memory(array))

    def all_gather_slices(self, array, bounds):
        self._check_waited()
        self._comm.all_gather_slices(self._memory(array), bounds)

    def exchange(self, outgoing, incoming):
        if outgoing or incoming:
            self._check_waited()
        sent, received = (
            {peer: [self._memory(array) for array in arrays] for peer, arrays in messages.items()}
            for messages in (outgoing, incoming)
        )
        self._comm.exchange(sent, received)

    def all_gather_object(self, value):
        return self._comm.all_gather_object(value)


class FakeNccl:
    """The functions and constants of `cupy.cuda.nccl` that distgrad calls, over MPI.

    Messages of a group begin at its end, all at once, and are taken in order from each peer.
    """

    available = True
    NCCL_UINT8, NCCL_FLOAT16, NCCL_FLOAT32, NCCL_FLOAT64, NCCL_SUM = 1, 6, 7, 8, 0
    _TYPES = MappingProxyType({1: np.uint8, 6: np.float16, 7: np.float32, 8: np.float64})

    class NcclError(RuntimeError):
        pass

    def __init__(self, world):
        self._world = world
        self._group = None

    def get_unique_id(self):
        return b"identity"

    def NcclCommunicator(self, size, identity, rank):
        assert identity == b"identity"
        assert (self._world.size, self._world.rank) == (size, rank)
        return _FakeCommunicator(self, self._world)

    def groupStart(self):
        self._group = []

    def groupEnd(self):
        requests = [begin() for begin in self._group]
        MPI.Request.Waitall(requests)
        self._group = None


class _FakeCommunicator:
    def __init__(self, nccl, world):
        self._nccl, self._world = nccl, world

    def _memory(self, address, count, kind):
        dtype = np.dtype(self._nccl._TYPES[kind])
        nbytes = count * dtype.itemsize
        return np.frombuffer((ctypes.c_char * nbytes).from_address(address), dtype)

    def bcast(self, address, count, kind, root, stream):
        assert isinstance(stream, int)
        self._world.Bcast(self._memory(address, count, kind), root)

    def allReduce(self, source, target, count, kind, operation, stream):
        assert (source, operation) == (target, self._nccl.NCCL_SUM)
        self._world.Allreduce(MPI.IN_PLACE, self._memory(source, count, kind))

    def send(self, address, count, kind, peer, stream):
        memory = self._memory(address, count, kind)
        self._nccl._group.append(lambda: self._world.Isend(memory, peer))

    def recv(self, address, count, kind, peer, stream):
        memory = self._memory(address, count, kind)
        self._nccl._group.append(lambda: self._world.Irecv(memory, peer))

    def check_async_error(self):
        pass


def _with_nccl(comm, device):
    stream = SimpleNamespace(ptr=7, synchronize=lambda: None)
    stream.record = lambda: SimpleNamespace(done=True)
    double.xp.cuda = SimpleNamespace(get_current_stream=lambda: stream)
    sys.modules[f"{double.xp.__name__}.cuda.nccl"] = FakeNccl(comm._comm)
    return Nccl(comm, device)


MAKERS = {
    "staged, in pieces": lambda comm, device: Staged(comm, LateCopies(device), place=512),
    "staged": lambda comm, device: Staged(comm, copies_of(device)),
    "ipc, in pieces": lambda comm, device: Ipc(comm, device, nbytes=512),
    "ipc": lambda comm, device: Ipc(comm, device, nbytes=2**20),
    "cuda-aware": lambda comm, _: CudaAware(TakesDeviceArrays(comm)),
    "nccl": _with_nccl,
}
"""By name, what makes a transport of a communicator and a device."""
