"""What was measured on, and with what."""

import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

__all__ = ["facts", "torch_with_cuda"]

_PACKAGES = ("distgrad", "numpy", "torch", "triton", "nvidia-cublas", "nvidia-cuda-nvrtc")


def facts() -> dict[str, Any]:
    """Return device, driver and versions."""
    import cupy

    properties = cupy.cuda.runtime.getDeviceProperties(0)
    return {
        "device": properties["name"].decode(),
        "multiprocessors": properties["multiProcessorCount"],
        "memory_gb": round(properties["totalGlobalMem"] / 2**30, 1),
        "driver_cuda": cupy.cuda.runtime.driverGetVersion(),
        "runtime_cuda": cupy.cuda.runtime.runtimeGetVersion(),
        "python": platform.python_version(),
        "cupy": cupy.__version__,
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def torch_with_cuda() -> Any:
    """Return PyTorch where it is installed with CUDA, else None."""
    if not find_spec("torch"):
        return None
    import torch

    return torch if torch.cuda.is_available() else None
