"""What distgrad asks of CuPy for several ranks, by a double of the calls."""

from types import SimpleNamespace

import numpy as np
import pytest

from distgrad.backend import windows
from distgrad.backend.cupy_provider import CuPy
from distgrad.errors import DeviceError


class Device:
    compute_capability = "90"
    pci_bus_id = "0000:19:00.0"

    def __init__(self, index):
        assert index == 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Runtime:
    """Memory by address; what is opened must be closed."""

    def __init__(self):
        self.opened = []

    def ipcGetMemHandle(self, address):
        return f"handle of {address}".encode()

    def ipcOpenMemHandle(self, handle):
        self.opened.append(handle)
        return 4096

    def ipcCloseMemHandle(self, address):
        assert address == 4096
        self.opened.pop()

    def getDeviceProperties(self, index):
        return {"name": b"NVIDIA H200"}

    def runtimeGetVersion(self):
        return 12090

    def driverGetVersion(self):
        return 13000


@pytest.fixture
def cupy():
    provider = object.__new__(CuPy)
    provider._runtime = Runtime()
    cuda = SimpleNamespace(
        Device=Device,
        Memory=lambda nbytes: SimpleNamespace(ptr=nbytes),
        MemoryPointer=lambda memory, offset: (memory, offset),
        UnownedMemory=lambda *given: given,
        cublas=SimpleNamespace(getVersion=lambda handle: 120900 + handle),
        device=SimpleNamespace(get_cublas_handle=lambda: 4),
    )
    ndarray = lambda shape, dtype, memory: SimpleNamespace(shape=shape, dtype=dtype, memory=memory)  # noqa: E731
    provider.xp = SimpleNamespace(cuda=cuda, ndarray=ndarray, __version__="14.2.0")
    return provider


def test_what_a_gpu_is_and_what_computes_there(cupy):
    assert cupy.describe(1) == {
        "name": "NVIDIA H200",
        "compute capability": "9.0",
        "CuPy": "14.2.0",
        "cuBLAS": "120904",
        "CUDA runtime": "12.9",
        "CUDA driver": "13.0",
        "bus": "0000:19:00.0",
    }


def test_values_are_written_in_the_order_of_the_current_stream(cupy):
    calls = []
    cupy.xp.cuda.get_current_stream = lambda: "current"
    array = SimpleNamespace(set=lambda *given: calls.append(given))
    cupy.overwrite(array, "values")
    assert calls == [("values", "current")]


def test_memory_that_others_see_is_an_allocation_of_its_own(cupy):
    array, handle = cupy.export_window(64, 1)
    assert (array.shape, array.dtype) == ((64,), np.uint8)
    assert array.memory[1] == 0
    assert handle == b"handle of 64"


def test_memory_of_others_is_closed_with_the_last_that_refers_to_it(cupy):
    array = cupy.open_window(b"handle", 64, 1)
    (address, nbytes, owner, index), offset = array.memory
    assert (address, nbytes, index, offset) == (4096, 64, 1, 0)
    assert cupy._runtime.opened == [b"handle"]
    del array, owner
    assert cupy._runtime.opened == []


def test_what_cannot_be_shared_is_an_error_of_the_device(cupy, monkeypatch):
    def refuse(address):
        raise RuntimeError("cudaErrorNotSupported")

    monkeypatch.setattr(cupy._runtime, "ipcGetMemHandle", refuse, raising=False)
    monkeypatch.setattr(windows, "provider", lambda: cupy)
    monkeypatch.setattr(windows, "read_device", lambda _: 1)
    with pytest.raises(DeviceError, match="cannot be shared among processes: cudaErrorNotSupp"):
        windows.export_window("cuda:1", 64)
    assert windows.windows_problem() is None
