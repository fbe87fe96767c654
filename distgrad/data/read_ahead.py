"""Micro-batches read in threads before they are asked for."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from distgrad.data.workers import Workers

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["ReadAhead"]


class Numbered(Protocol):
    """A window, as far as it matters here."""

    @property
    def step(self) -> int:
        """Its number."""

    def __len__(self) -> int:
        """Return its number of micro-batches."""


class ReadAhead:
    """Guesses which micro-batches will be asked for next, and has threads read them.

    The guess is that a rank asks for what it asked for of the last window with as many
    micro-batches, in the same order. A wrong guess costs a read that nobody needs, or the wait for
    one that was not begun; never another batch. It is used from one thread.

    Args:
        read: Reads micro-batch m of a window, given (window, m).
        num_workers: Number of threads.
    """

    def __init__(self, read: Callable[[tuple[Any, int]], Any], num_workers: int) -> None:
        self._read = read
        self._workers: Workers | None = Workers(num_workers)
        self._pending: dict[tuple[int, int], Future[Any]] = {}
        self._window: Numbered | None = None
        self._following: Numbered | None = None
        self._asked: dict[int, None] = {}  # of this window, in order
        self._habits: dict[int, list[int]] = {}  # what was asked for, by number of micro-batches

    def turn_to(self, window: Numbered, following: Numbered | None) -> None:
        """Begin with the next window; behind it comes ``following``, if there is one."""
        if self._window is not None:
            self._habits[len(self._window)] = list(self._asked)
        self._asked = {}
        self._window, self._following = window, following
        for key in [key for key in self._pending if key[0] < window.step]:
            self._pending.pop(key).cancel()
        self._start(self._habits.get(len(window), ()))

    def get(self, window: Numbered, m: int) -> Any:
        """Return micro-batch ``m`` of a window."""
        future = self._pending.pop((window.step, m), None)
        if self._window is not None and window.step == self._window.step:
            self._asked[m] = None
            expected = self._habits.get(len(window)) or range(len(window))
            self._start(expected[expected.index(m) + 1 :] if m in expected else ())
        return self._read((window, m)) if future is None else future.result()

    def close(self) -> None:
        """End the threads; what is asked for from now on is read by who asks."""
        if self._workers is not None:
            self._workers.close()
        self._workers = self._window = self._following = None
        self._pending = {}

    def _start(self, expected: Sequence[int]) -> None:
        """Have read what is expected of this window, and then of the next, up to the bound."""
        tasks = [(self._window, m) for m in expected]
        if self._following is not None:
            habit = self._habits.get(len(self._following), ())
            tasks += [(self._following, m) for m in habit]
        for window, m in tasks:
            if self._workers is None or len(self._pending) >= self._workers.ahead:
                return
            if window is not None and (window.step, m) not in self._pending:
                self._pending[window.step, m] = self._workers.submit(self._read, (window, m))
