"""The strict double with what `benchmarks.gpu` asks of CuPy besides: clocks, graphs, facts.

A rehearsal: the command runs from its beginning to its end where there is no GPU. What it measures
means nothing.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from time import perf_counter
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from helpers.device_with_kernels import KernelGraphs, device_with_kernels
from helpers.strict_device import device_array, double

__all__ = ["fake_cupy"]


class Event:
    done = True

    def __init__(self) -> None:
        self.at = 0.0

    def record(self, stream: Any = None) -> None:
        self.at = perf_counter()

    def synchronize(self) -> None:
        pass


class Stream(nullcontext):  # type: ignore[type-arg]
    ptr = 0

    def __init__(self, graphs: KernelGraphs, non_blocking: bool = False) -> None:
        super().__init__()
        self.is_capturing = graphs.is_capturing

    def record(self) -> Event:
        event = Event()
        event.record()
        return event

    def synchronize(self) -> None:
        pass

    def begin_capture(self) -> None:
        pass

    def end_capture(self) -> Any:
        return SimpleNamespace(launch=lambda stream: None)


class Nccl(ModuleType):
    """`cupy.cuda.nccl`, of one rank."""

    available = True
    NCCL_UINT8, NCCL_FLOAT32, NCCL_SUM = 1, 7, 0

    class NcclError(RuntimeError):
        pass

    def groupStart(self) -> None:
        pass

    groupEnd = groupStart  # noqa: N815 (NCCL's)

    def get_unique_id(self) -> bytes:
        return b"identity"

    def NcclCommunicator(self, size: int, identity: bytes, rank: int) -> Any:
        assert (size, identity, rank) == (1, b"identity", 0)
        nothing = lambda *_: None  # noqa: E731
        names = "allReduce", "bcast", "abort", "check_async_error"
        return SimpleNamespace(**dict.fromkeys(names, nothing))


@contextmanager
def fake_cupy() -> Iterator[KernelGraphs]:
    """Let ``import cupy`` find the double, with kernels, inside the block."""
    with device_with_kernels() as graphs:
        names = {f"{double.xp.__name__}.cuda.nccl": Nccl("nccl"), "cupy": double.xp}
        before = {name: sys.modules.get(name) for name in names}
        added = _added(graphs)
        vars(double.xp).update(added)
        sys.modules.update(names)
        try:
            yield graphs
        finally:
            for name, module in before.items():
                sys.modules.pop(name)
                if module is not None:
                    sys.modules[name] = module
            for name in added:
                if name != "cuda":  # which is taken away with the kernels
                    delattr(double.xp, name)


def _added(graphs: KernelGraphs) -> dict[str, Any]:
    stream = Stream(graphs)
    make_stream: Any = lambda **given: Stream(graphs, **given)  # noqa: E731
    make_stream.null = stream
    properties = {"name": b"strict double", "multiProcessorCount": 1, "totalGlobalMem": 2**30}
    version = lambda: 0  # noqa: E731
    cuda = SimpleNamespace(
        Device=lambda index=0: stream,
        Event=Event,
        Stream=make_stream,
        get_current_stream=lambda: stream,
        get_elapsed_time=lambda start, stop: max(stop.at - start.at, 1e-9) * 1e3,
        runtime=SimpleNamespace(
            getDeviceProperties=lambda index: properties,
            driverGetVersion=version,
            runtimeGetVersion=version,
        ),
    )
    generator = np.random.default_rng(0)
    return {
        "__version__": "0",
        "RawKernel": lambda code, name: lambda grid, block, args: None,
        "asnumpy": lambda array: array._host.copy() if isinstance(array, device_array) else array,
        "cuda": cuda,
        "random": SimpleNamespace(
            random=lambda size, dtype: device_array(generator.random(size, dtype)),
            standard_normal=lambda size, dtype: device_array(
                generator.standard_normal(size, dtype)
            ),
        ),
    }
