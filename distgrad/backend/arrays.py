"""Which array library a given array belongs to.

NumPy's arrays lie in the memory of the machine. One more library may be in use whose arrays lie in
the memory of GPUs: a `Provider` says what it is and how arrays go there and back
(`distgrad.backend.devices`).
"""

import sys
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

import numpy as np

__all__ = [
    "Array",
    "MixedDevices",
    "Namespace",
    "Provider",
    "array_namespace",
    "array_of",
    "provide",
    "provider_in_use",
]

Array: TypeAlias = Any
"""An array of NumPy or CuPy."""

Namespace: TypeAlias = Any
"""A module of array functions: ``numpy`` or ``cupy``."""


class Provider(Protocol):
    """An array library for the GPUs of this machine, which are numbered from 0."""

    xp: Namespace
    """Its module; ``xp.ndarray`` is the type of its arrays."""

    def count(self) -> int:
        """Return how many GPUs there are; 0 where none can be used."""

    def current(self) -> int:
        """Return the number of the GPU that this thread computes on."""

    def make_current(self, index: int) -> None:
        """Let this thread compute on a GPU from now on."""

    def using(self, index: int) -> AbstractContextManager[object]:
        """Let this thread compute on a GPU inside a block."""

    def index_of(self, array: Array) -> int:
        """Return the number of the GPU on which an array lies."""

    def to_device(self, array: Array, index: int) -> Array:
        """Return an array, of NumPy or of a GPU, on a GPU; itself where it lies there."""

    def to_host(self, array: Array) -> Array:
        """Return the values as an array of NumPy, when all work on them is done."""

    def overwrite(self, array: Array, values: Array) -> None:
        """Give an array on a GPU the values of one of NumPy, when its work so far is done."""

    def synchronize(self, index: int) -> None:
        """Wait for all work that was given to a GPU."""

    def describe(self, index: int) -> dict[str, str]:
        """Return what a GPU is and what computes there: ``name``, ``bus`` and what else there is.

        The ``bus`` tells it from the other GPUs of the machine.
        """


class MixedDevices(RuntimeError):  # noqa: N818 (what is wrong, not how it is called)
    """Arrays that lie on different devices met in one operation."""


_modules = sys.modules
_provider: Provider | None = None
_device_array: type | None = None


def provide(provider: Provider | None) -> Provider | None:
    """Put an array library for GPUs in use, in place of CuPy or of the one before.

    Args:
        provider: The library; None for CuPy as soon as it is needed.

    Returns:
        The provider that was in use before.
    """
    global _provider, _device_array  # noqa: PLW0603 (one for the process, as CuPy's module is)
    before = _provider
    # In this order: where another thread sees the provider, it sees the type too.
    _device_array = None if provider is None else provider.xp.ndarray
    _provider = provider
    return before


def provider_in_use() -> Provider | None:
    """Return the provider; CuPy's where somebody has imported that; None where there is none."""
    if _provider is None and _modules.get("cupy") is not None:
        from distgrad.backend.cupy_provider import CuPy

        provide(CuPy())
    return _provider


def array_namespace(*values: object) -> Namespace:
    """Return the array module of the given arrays: that of the GPU's if one lies there, else NumPy.

    CuPy is looked up among the modules already loaded: where nobody has imported it, no array can
    be its own.

    Args:
        *values: Arrays, numbers, or anything else, which belongs everywhere.

    Raises:
        MixedDevices: If arrays lie on different devices, or on another GPU than the current one.

    Example:
        >>> array_namespace(np.zeros(2), 1.0).__name__
        'numpy'
    """
    if _device_array is None and (_modules.get("cupy") is None or provider_in_use() is None):
        return np
    for value in values:
        if isinstance(value, _device_array):  # type: ignore[arg-type]  # not None here
            return _of_one_device(values)
    return np


def array_of(data: Any) -> Array:
    """Return an array, of whichever library, as it is, and a number as an array of NumPy.

    Example:
        >>> array_of(np.float32(1))
        array(1., dtype=float32)
    """
    library = provider_in_use()
    if library is not None and isinstance(data, library.xp.ndarray):
        return data
    return np.asarray(data)


def _of_one_device(values: tuple[object, ...]) -> Namespace:
    provider = provider_in_use()
    assert provider is not None
    places = {
        f"cuda:{provider.index_of(value)}"
        for value in values
        if isinstance(value, provider.xp.ndarray)
    }
    if any(isinstance(value, np.ndarray) for value in values):
        places.add("cpu")
    if len(places) > 1:
        raise MixedDevices(
            f"arrays on {' and '.join(sorted(places))} in one operation; move them to one device "
            "with .to()"
        )
    current = f"cuda:{provider.current()}"
    if places != {current}:
        raise MixedDevices(
            f"arrays on {places.pop()} while this thread computes on {current}; choose the GPU "
            "with distgrad.cuda.set_device()"
        )
    return provider.xp
