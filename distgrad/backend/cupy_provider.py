"""CuPy, as the array library for GPUs."""

from contextlib import AbstractContextManager, suppress
from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.copies import Copies
from distgrad.backend.cupy_copies import StreamCopies
from distgrad.backend.cupy_graphs import StreamGraphs
from distgrad.backend.graphs import Graphs, is_capturing
from distgrad.backend.kernels.cuda import load_column
from distgrad.backend.kernels.table import use
from distgrad.errors import DeviceError

__all__ = ["CuPy"]


class CuPy:
    """A `distgrad.backend.arrays.Provider`; loads CuPy when it is made.

    Raises:
        DeviceError: If CuPy is not installed, or does not load.
    """

    xp: Namespace

    def __init__(self) -> None:
        try:
            import cupy
        except ImportError as error:
            raise DeviceError(
                "GPUs are computed on with CuPy, which does not load here "
                f"({str(error).strip().partition(chr(10))[0]}); install it for the CUDA version of "
                "the driver with pip install 'distgrad[cuda12]' or 'distgrad[cuda13]', or use "
                "device='cpu'"
            ) from error
        self.xp = cupy
        use(cupy, load_column())
        self._runtime = cupy.cuda.runtime

    def count(self) -> int:
        """Return how many GPUs there are; 0 without a driver for CuPy's version of CUDA."""
        try:
            return int(self._runtime.getDeviceCount())
        except self._runtime.CUDARuntimeError:
            return 0

    def current(self) -> int:
        """Return the number of the GPU that this thread computes on."""
        return int(self._runtime.getDevice())

    def make_current(self, index: int) -> None:
        """Let this thread compute on a GPU from now on."""
        self.xp.cuda.Device(index).use()

    def using(self, index: int) -> AbstractContextManager[object]:
        """Let this thread compute on a GPU inside a block."""
        return self.xp.cuda.Device(index)  # type: ignore[no-any-return]

    def index_of(self, array: Array) -> int:
        """Return the number of the GPU on which an array lies."""
        return int(array.data.device_id)

    def to_device(self, array: Array, index: int) -> Array:
        """Return an array on a GPU; itself where it lies there.

        The values of a host array are taken at once; the copy is ordered on the current stream.
        """
        if isinstance(array, np.ndarray) and is_capturing(self.xp):
            raise RuntimeError(
                "a copy from the CPU cannot be recorded in a graph: what it reads may be gone when "
                "the graph is replayed; make the array on the GPU, or before"
            )
        with self.using(index):
            return self.xp.asarray(array)

    def to_host(self, array: Array) -> Array:
        """Return the values as an array of NumPy, when the current stream has computed them."""
        return np.asarray(self.xp.asnumpy(array))

    def overwrite(self, array: Array, values: Array) -> None:
        """Give an array the values of one of NumPy; the copy is ordered on the current stream."""
        array.set(values, self.xp.cuda.get_current_stream())

    def synchronize(self, index: int) -> None:
        """Wait for all work that was given to a GPU."""
        self.xp.cuda.Device(index).synchronize()

    def describe(self, index: int) -> dict[str, str]:
        """Return what a GPU is and what computes there."""
        cuda, runtime = self.xp.cuda, self._runtime
        device = cuda.Device(index)
        with device:
            blas = cuda.cublas.getVersion(cuda.device.get_cublas_handle())
        capability = str(device.compute_capability)
        return {
            "name": runtime.getDeviceProperties(index)["name"].decode(),
            "compute capability": f"{capability[:-1]}.{capability[-1]}",
            "CuPy": self.xp.__version__,
            "cuBLAS": str(blas),
            "CUDA runtime": _version(runtime.runtimeGetVersion()),
            "CUDA driver": _version(runtime.driverGetVersion()),
            "bus": device.pci_bus_id,
        }

    def graphs(self, index: int) -> Graphs:
        """Return what records graphs; see `distgrad.backend.graphs`."""
        return StreamGraphs(self.xp, index)

    def copies(self, index: int) -> Copies:
        """Return a new stream of copies; see `distgrad.backend.copies`."""
        return StreamCopies(self.xp, index)

    def export_window(self, nbytes: int, index: int) -> tuple[Array, bytes]:
        """Return new bytes, an allocation of their own, and what other processes open it with."""
        cuda = self.xp.cuda
        with self.using(index):
            memory = cuda.Memory(nbytes)
            array = self.xp.ndarray((nbytes,), np.uint8, cuda.MemoryPointer(memory, 0))
            return array, self._runtime.ipcGetMemHandle(memory.ptr)

    def open_window(self, handle: bytes, nbytes: int, index: int) -> Array:
        """Return the bytes that another process has exported, as if they lay on this GPU."""
        cuda = self.xp.cuda
        with self.using(index):
            opened = _Opened(self._runtime, handle)
            memory = cuda.UnownedMemory(opened.address, nbytes, opened, index)
            return self.xp.ndarray((nbytes,), np.uint8, cuda.MemoryPointer(memory, 0))


class _Opened:
    """Memory of another process, seen until nothing refers to it any more."""

    def __init__(self, runtime: Any, handle: bytes) -> None:
        self._runtime = runtime
        self.address = int(runtime.ipcOpenMemHandle(handle))

    def __del__(self) -> None:
        with suppress(RuntimeError):  # the driver may be gone when the program ends
            self._runtime.ipcCloseMemHandle(self.address)


def _version(number: int) -> str:
    """Return a version of CUDA, such as 12040, as one reads it."""
    return f"{number // 1000}.{number % 1000 // 10}"
