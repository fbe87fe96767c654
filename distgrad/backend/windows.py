"""Memory of a GPU that several processes of a machine see."""

from typing import Any

from distgrad.backend.arrays import Array
from distgrad.backend.devices import provider, read_device
from distgrad.errors import DeviceError

__all__ = ["export_window", "open_window", "windows_problem"]


def windows_problem() -> str | None:
    """Say why the array library in use cannot share memory among processes; None if it can."""
    if hasattr(provider(), "export_window"):
        return None
    return "the array library does not share memory among processes"


def export_window(device: str, nbytes: int) -> tuple[Array, bytes]:
    """Return new bytes on a GPU, and what another process opens them with.

    Raises:
        DeviceError: If they cannot be shared.
    """
    return _called("export_window", nbytes, read_device(device))  # type: ignore[no-any-return]


def open_window(device: str, handle: bytes, nbytes: int) -> Array:
    """Return the bytes that another process of this machine has exported.

    Args:
        device: The GPU on which this process computes with them.
        handle: What `export_window` returned there.
        nbytes: How many.

    Raises:
        DeviceError: If they cannot be seen from here.
    """
    return _called("open_window", handle, nbytes, read_device(device))


def _called(name: str, *arguments: Any) -> Any:
    try:
        return getattr(provider(), name)(*arguments)
    except (RuntimeError, OSError) as error:  # CUDA's errors are RuntimeErrors
        raise DeviceError(f"memory of the GPU cannot be shared among processes: {error}") from error
