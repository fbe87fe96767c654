"""Where the elements of a Tensor lie, in PyTorch's words."""

from collections.abc import Callable
from typing import Any

import numpy as np

from distgrad.backend import Array, device_name, to_device
from distgrad.backend.devices import namespace_of, read_device, use_device
from distgrad.backend.listening import constant

__all__ = ["device", "device_of", "made_on", "names_device", "placed", "present"]

_KINDS = ("cpu", "cuda")


class device(str):  # noqa: N801  PyTorch's name, in lower case
    """A place for tensors: ``"cpu"``, the memory of the machine, or ``"cuda:0"``, that of a GPU.

    It is a string, so that ``x.device == "cpu"`` holds as well as ``x.device.type == "cpu"``.

    Args:
        type: ``"cpu"`` or ``"cuda"``, with its number behind a colon or without.
        index: The number, where it does not stand in ``type``.

    Raises:
        RuntimeError: If there is no such kind of device.

    Example:
        >>> import distgrad as dg
        >>> dg.zeros(2).device
        device(type='cpu')
        >>> dg.device("cuda:1").type, dg.device("cuda", 1).index
        ('cuda', 1)
    """

    __slots__ = ()

    def __new__(cls, type: Any, index: int | None = None) -> "device":
        """Read the kind and the number."""
        name, _, number = str(type).partition(":")
        if name not in _KINDS or (number and (index is not None or not number.isdecimal())):
            raise RuntimeError(
                f"a device is 'cpu', or 'cuda' with a number as in 'cuda:0'; got {type!r}"
            )
        if number:
            index = int(number)
        return super().__new__(cls, name if index is None else f"{name}:{index}")

    @property
    def type(self) -> str:
        """The kind of device."""
        return str(self).partition(":")[0]

    @property
    def index(self) -> int | None:  # type: ignore[override]  # PyTorch's name; str has a method of it
        """The number of the device among those of its kind."""
        number = str(self).partition(":")[2]
        return int(number) if number else None

    def __repr__(self) -> str:
        number = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{number})"

    def __getnewargs__(self) -> tuple[str]:
        return (str(self),)


def device_of(array: Array) -> device:
    """Return the device that an array lies on."""
    return device(device_name(array))


def names_device(value: Any) -> bool:
    """Tell whether a value names a device, not a data type."""
    name = value if isinstance(value, str) else getattr(value, "type", None)
    return isinstance(name, str) and name.partition(":")[0] in (*_KINDS, "meta", "mps", "xpu")


def present(wanted: Any) -> device:
    """Return a device that is there, with its number.

    Raises:
        DeviceError: If there is no such device.
    """
    index = read_device(device(wanted))
    return device("cpu" if index is None else f"cuda:{index}")


def placed(array: Array, wanted: Any) -> Array:
    """Return an array on the device that was asked for; where None was, the array itself.

    Raises:
        DeviceError: If there is no such device.
    """
    return array if wanted is None else to_device(array, device(wanted))


def made_on(wanted: Any, make: Callable[..., Array], *args: Any) -> Array:
    """Return the array that ``make(xp, *args)`` makes on a device; None stands for the CPU.

    Raises:
        DeviceError: If there is no such device.
    """
    if wanted is None:
        return constant(make(np, *args))
    with use_device(device(wanted)):
        return constant(make(namespace_of(device(wanted)), *args))
