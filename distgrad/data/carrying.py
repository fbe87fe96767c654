"""Micro-batches on a GPU: each is carried there while the GPU computes on the one before."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from distgrad.backend import Array, device_name
from distgrad.backend.copies import Copies, Done, copies_of
from distgrad.backend.devices import namespace_of
from distgrad.data.windows import reading_scope
from distgrad.tensor import Tensor

__all__ = ["Carrier", "on_device"]


class Carried(Protocol):
    """A window, as far as it matters here; see `distgrad.data.Window`."""

    @property
    def seed(self) -> int:
        """Keys its random draws."""

    @property
    def step(self) -> int:
        """Its number."""

    def __len__(self) -> int:
        """Return its number of micro-batches."""

    def micro_batch(self, m: int) -> Any:
        """Return one of them."""


def on_device(windows: Any, device: str) -> Iterator[Any]:
    """Return global batches whose micro-batches lie on a device.

    Args:
        windows: Such as `GlobalBatches`.
        device: ``"cpu"``, where they are as they were, or a GPU.

    Raises:
        DeviceError: If there is no such device.

    Example:
        >>> import distgrad as dg
        >>> windows = dg.data.GlobalBatches(dg.data.TensorDataset(x=dg.ones(4, 2)), 4, 2)
        >>> [window.micro_batch(0).x.device.type for window in on_device(windows, "cpu")]
        ['cpu']
    """
    carrier = Carrier(device)
    return (carrier.window(window) for window in windows)


class Carrier:
    """Takes micro-batches to a device.

    While the GPU computes on one, the next that the rank is going to ask for is read and copied, on
    a stream of its own and through pinned memory. The guess is that it asks for as many, one after
    the other, as it asked of the last window with as many micro-batches; a wrong one costs a read.

    Args:
        device: ``"cpu"``, or a GPU.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self._lane = None if device == "cpu" else _Lane(device)
        self._ready: tuple[tuple[int, int], Any] | None = None
        self._window: Carried | None = None
        self._asked = 0
        self._ends: dict[int, int] = {}
        """By the number of micro-batches of a window, the last that was asked for."""

    def window(self, window: Any) -> Any:
        """Return a window whose micro-batches lie on the device."""
        return window if self._lane is None else _CarriedWindow(window, self)

    def batch(self, batch: Any) -> Any:
        """Return a batch whose Tensors and arrays lie on the device."""
        if self._lane is None:
            return batch
        carried = self._lane.carry(batch)
        self._lane.arrive()
        return carried

    def fetch(self, window: Carried, m: int) -> Any:
        """Return micro-batch ``m`` of a window on the device, and begin with the one after it."""
        assert self._lane is not None  # else there is nobody who asks
        ready, self._ready = self._ready, None
        is_ready = ready is not None and ready[0] == (window.step, m)
        batch = ready[1] if ready and is_ready else self._carry(window, m)
        self._lane.arrive()
        self._note(window, m)
        if m < self._ends.get(len(window), len(window) - 1):
            self._begin(window, m + 1)
        return batch

    def _note(self, window: Carried, m: int) -> None:
        if self._window is not window:
            if self._window is not None:
                self._ends[len(self._window)] = self._asked
            self._window = window
        self._asked = m

    def _carry(self, window: Carried, m: int) -> Any:
        """Read a micro-batch with draws of its own, whichever one is computed meanwhile."""
        assert self._lane is not None
        with reading_scope(window.seed, window.step, m):
            return self._lane.carry(window.micro_batch(m))

    def _begin(self, window: Carried, m: int) -> None:
        try:
            batch = self._carry(window, m)
        except Exception:  # it is raised again when that one is asked for
            return
        self._ready = (window.step, m), batch


class _CarriedWindow:
    """A window whose micro-batches lie on a device."""

    def __init__(self, window: Any, carrier: Carrier) -> None:
        self._window = window
        self._carrier = carrier

    def __len__(self) -> int:
        return len(self._window)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._window, name)

    def micro_batch(self, m: int) -> Any:
        """Return micro-batch ``m`` on the device."""
        return self._carrier.fetch(self._window, m)


class _Lane:
    """Copies to one GPU, through two buffers of pinned memory in turn."""

    def __init__(self, device: str) -> None:
        self._xp = namespace_of(device)
        self._copies: Copies = copies_of(device)
        self._buffers: list[Array] = [np.empty(0, np.uint8)] * 2
        self._busy: list[list[Done]] = [[], []]

    def carry(self, batch: Any) -> Any:
        """Begin to copy what of a batch lies on the host; `arrive` lets the GPU wait for it."""
        found = [array for array in _arrays_in(batch) if device_name(array) == "cpu"]
        self._make_room(sum(-(-array.nbytes // 16) * 16 for array in found))
        self._copies.begin()  # the memory of the new arrays may still be read by what was computed
        self._offset = 0
        return _mapped(batch, self._moved)

    def arrive(self) -> None:
        """Let what the GPU is given from now on wait for the copies."""
        self._copies.follow()

    def _make_room(self, nbytes: int) -> None:
        self._buffers.reverse()
        self._busy.reverse()
        for copy in self._busy[0]:
            copy.synchronize()
        self._busy[0] = []
        if self._buffers[0].size < nbytes:
            self._buffers[0] = self._copies.buffer(nbytes)

    def _moved(self, array: Array) -> Array:
        if device_name(array) != "cpu":
            return array
        start, self._offset = self._offset, self._offset + -(-array.nbytes // 16) * 16
        pinned = self._buffers[0][start : start + array.nbytes].view(array.dtype)
        pinned = pinned.reshape(array.shape)
        pinned[...] = array
        moved = self._xp.empty(array.shape, array.dtype)
        self._busy[0].append(self._copies.to_device(pinned, moved))
        return moved


def _mapped(batch: Any, change: Any) -> Any:
    """Return a batch with its arrays changed; Tensors stay Tensors, and tuples keep their type."""
    if isinstance(batch, Tensor):
        return Tensor(change(batch.data))
    if isinstance(batch, np.ndarray):
        return change(batch)
    if isinstance(batch, Mapping):
        return type(batch)({key: _mapped(part, change) for key, part in batch.items()})  # type: ignore[call-arg]
    if isinstance(batch, tuple | list):
        parts = [_mapped(part, change) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    return batch


def _arrays_in(batch: Any) -> list[Array]:
    found: list[Array] = []

    def note(array: Array) -> Array:
        found.append(array)
        return array

    _mapped(batch, note)
    return found
