"""The GPUs of this machine, by PyTorch's names.

A Tensor goes to one by ``tensor.to("cuda:0")`` or ``device="cuda:0"``; a thread computes on one at
a time. Arrays there are CuPy's, which an extra installs: ``pip install 'distgrad[cuda12]'`` or
``'distgrad[cuda13]'``, as the driver is.
"""

from contextlib import AbstractContextManager
from typing import Any

from distgrad.backend import devices

__all__ = [
    "current_device",
    "device",
    "device_count",
    "is_available",
    "set_device",
    "synchronize",
]


def is_available() -> bool:
    """Tell whether there is a GPU that can be computed on.

    Example:
        >>> is_available() == (device_count() > 0)
        True
    """
    return device_count() > 0


def device_count() -> int:
    """Return how many GPUs can be computed on: 0 without CuPy, a driver for it, or any GPU.

    Example:
        >>> device_count() >= 0
        True
    """
    return devices.device_count()


def current_device() -> int:
    """Return the number of the GPU that this thread computes on, which ``"cuda"`` stands for.

    Raises:
        RuntimeError: If there is none.
    """
    index = devices.read_device("cuda")
    assert index is not None
    return index


def set_device(device: Any) -> None:
    """Let this thread compute on a GPU from now on.

    Arrays on others can be moved, but not computed on.

    Args:
        device: The GPU, ``"cuda:1"``, or its number.

    Raises:
        RuntimeError: If there is no such GPU.
    """
    devices.set_device(_named(device))


def device(device: Any) -> AbstractContextManager[object]:
    """Let this thread compute on a GPU inside a ``with`` block.

    Args:
        device: The GPU, ``"cuda:1"``, or its number.

    Raises:
        RuntimeError: If there is no such GPU.
    """
    return devices.use_device(_named(device))


def synchronize(device: Any = None) -> None:
    """Wait until a GPU has done all the work that it was given.

    Args:
        device: The GPU, ``"cuda:1"``, or its number. Default: that which the thread computes on.

    Raises:
        RuntimeError: If there is no such GPU.
    """
    index = devices.read_device("cuda" if device is None else _named(device))
    if index is not None:
        devices.provider().synchronize(index)


def _named(device: Any) -> str:
    return f"cuda:{device}" if hasattr(device, "__index__") else str(device)
