"""Where the elements of a Tensor lie, in PyTorch's words."""

from typing import Any

from distgrad.backend import Array, device_name

__all__ = ["check_device", "device", "device_of", "names_device"]

_KINDS = ("cpu", "cuda")


class device(str):  # noqa: N801  PyTorch's name, in lower case
    """A place for tensors: ``"cpu"``, the memory of the machine.

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


def check_device(wanted: Any, present: str = "cpu") -> None:
    """Refuse a device on which a tensor does not lie already: distgrad moves none.

    Args:
        wanted: A device, its name, or None for any.
        present: The device on which the tensor is or will be.

    Raises:
        RuntimeError: If it is another one.
    """
    if wanted is None:
        return
    found = device(wanted)
    if found.type != device(present).type or found.index not in (None, 0, device(present).index):
        raise RuntimeError(
            f"tensors are computed on where they lie, here {str(present)!r}, and are not moved to "
            f"{str(wanted)!r}; leave device out, or choose it by device='cpu'"
        )
