"""Where arrays lie, and how they get elsewhere.

Places are named in PyTorch's words: ``cpu`` is the memory of the machine, ``cuda:0`` that of its
first GPU, ``cuda`` that of the GPU that the thread computes on. Moving is explicit, and these
functions are the only way:

- ``to_device(array, "cuda:0")``: the array there, the same object where it lies there already.
- ``to_host(array)``: an array of NumPy; waits for the values. The same object on the CPU.
- ``device_name(array)``: ``"cpu"`` or ``"cuda:0"``.
- ``synchronize(array)``: wait until the GPU of an array has done all its work; nothing on the CPU.
- ``overwrite(array, values)``: values of NumPy written to where an array lies; does not wait.
- ``set_device("cuda:0")``: let this thread compute on that GPU from now on;
  ``use_device("cuda:0")``: inside a ``with`` block. `device_count` says how many there are.
- ``namespace_of("cuda:0")``: the array module for a place; inside ``use_device`` its functions
  make arrays there.

The library is CuPy, which is loaded at the first such call; `provide` puts another one, such as a
double for tests, in its place. What cannot be is a `distgrad.errors.DeviceError`.
"""

from contextlib import AbstractContextManager, nullcontext

import numpy as np

from distgrad.backend.arrays import Array, Namespace, Provider, provide, provider_in_use
from distgrad.backend.cublaslt import described_products
from distgrad.backend.listening import unrepeatable
from distgrad.errors import DeviceError

__all__ = [
    "describe_device",
    "device_count",
    "device_name",
    "namespace_of",
    "overwrite",
    "provider",
    "read_device",
    "set_device",
    "synchronize",
    "synchronize_current",
    "to_device",
    "to_host",
    "use_device",
    "use_device_of",
]

_NOWHERE = nullcontext()


def provider() -> Provider:
    """Return the array library for GPUs, loading CuPy where none is in use.

    Raises:
        DeviceError: If CuPy is not installed, or does not load.
    """
    found = provider_in_use()
    if found is None:
        from distgrad.backend.cupy_provider import CuPy

        found = CuPy()
        provide(found)
    return found


def device_count() -> int:
    """Return how many GPUs can be used; 0 without CuPy, without a driver, or without any.

    Example:
        >>> device_count() >= 0
        True
    """
    try:
        return provider().count()
    except DeviceError:
        return 0


def read_device(device: str) -> int | None:
    """Return the number of the GPU that a name stands for, None for the CPU.

    Args:
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises:
        DeviceError: If it is no such name, or if there is no such GPU.

    Example:
        >>> read_device("cpu") is None
        True
    """
    kind, colon, number = str(device).partition(":")
    if kind not in ("cpu", "cuda") or (colon and not number.isdecimal()):
        raise DeviceError(
            f"a device is 'cpu', or 'cuda' with a number as in 'cuda:0'; got {str(device)!r}"
        )
    if kind == "cpu":
        return None
    library = provider()
    count = library.count()
    if not count:
        raise DeviceError(
            f"device {str(device)!r}: there is no GPU, or no driver for the CUDA version that CuPy "
            "was built for (nvidia-smi shows both); use device='cpu'"
        )
    index = int(number) if number else library.current()
    if index >= count:
        raise DeviceError(
            f"device {str(device)!r}: there are {count} GPUs here, cuda:0 to cuda:{count - 1}"
        )
    return index


def device_name(array: Array) -> str:
    """Return where an array lies, in PyTorch's words: ``cpu``, or ``cuda`` with its number.

    Example:
        >>> device_name(np.zeros(2))
        'cpu'
    """
    library = None if type(array) is np.ndarray else provider_in_use()
    if library is None or not isinstance(array, library.xp.ndarray):
        return "cpu"
    return f"cuda:{library.index_of(array)}"


def describe_device(device: str) -> dict[str, str]:
    """Return what a device is and what computes there, by what that is called.

    Raises:
        DeviceError: If there is no such device.

    Example:
        >>> describe_device("cpu")
        {'name': 'cpu'}
    """
    index = read_device(device)
    if index is None:
        return {"name": "cpu"}
    return {**provider().describe(index), **described_products()}


def to_host(array: Array) -> Array:
    """Return an array of NumPy with the values of an array; the same one where it is NumPy's.

    Example:
        >>> x = np.ones(2)
        >>> to_host(x) is x
        True
    """
    unrepeatable("a value is read, as item() does")
    if device_name(array) == "cpu":
        return np.asarray(array)
    return provider().to_host(array)


def to_device(array: Array, device: str) -> Array:
    """Return an array on a device; the same one where it lies there.

    Args:
        array: On any device.
        device: As for `read_device`.

    Raises:
        DeviceError: If there is no such device.

    Example:
        >>> x = np.ones(2)
        >>> to_device(x, "cpu") is x
        True
    """
    index = read_device(device)
    return to_host(array) if index is None else provider().to_device(array, index)


def overwrite(array: Array, values: Array) -> None:
    """Give an array the values of one of NumPy; a GPU is given them in the order of its work.

    Example:
        >>> x = np.ones(2)
        >>> overwrite(x, np.zeros(2))
        >>> x.tolist()
        [0.0, 0.0]
    """
    if device_name(array) == "cpu":
        array[...] = values
    else:
        provider().overwrite(array, values)


def synchronize(array: Array) -> None:
    """Wait until the GPU on which an array lies has done all work; on the CPU there is none."""
    if device_name(array) != "cpu":
        library = provider()
        library.synchronize(library.index_of(array))


def synchronize_current() -> None:
    """Wait until the GPU that this thread computes on has done all work."""
    library = provider()
    library.synchronize(library.current())


def namespace_of(device: str) -> Namespace:
    """Return the module whose functions make arrays on a device, where it is the current one.

    Raises:
        DeviceError: If there is no such device.

    Example:
        >>> namespace_of("cpu").__name__
        'numpy'
    """
    return np if read_device(device) is None else provider().xp


def set_device(device: str) -> None:
    """Let this thread compute on a GPU from now on; the CPU needs no choice.

    A rank makes it before its first array. Arrays on other GPUs can be moved, but not computed on.

    Raises:
        DeviceError: If there is no such device.
    """
    index = read_device(device)
    if index is not None:
        provider().make_current(index)


def use_device_of(array: Array) -> AbstractContextManager[object]:
    """Let this thread compute where an array lies inside a ``with`` block; the CPU needs no choice.

    A GPU's array of its own functions lies on the GPU that the thread computes on, a copy too.

    Example:
        >>> with use_device_of(np.ones(1)) as nothing:
        ...     nothing
    """
    library = None if type(array) is np.ndarray else provider_in_use()
    if library is None or not isinstance(array, library.xp.ndarray):
        return _NOWHERE
    return library.using(library.index_of(array))


def use_device(device: str) -> AbstractContextManager[object]:
    """Let this thread compute on a GPU inside a ``with`` block; the CPU needs no choice.

    Raises:
        DeviceError: If there is no such device.

    Example:
        >>> with use_device("cpu"):
        ...     np.ones(1).tolist()
        [1.0]
    """
    index = read_device(device)
    return nullcontext() if index is None else provider().using(index)
