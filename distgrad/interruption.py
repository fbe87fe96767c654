"""Signals that ask a run to stop: it finishes its step, writes a checkpoint and leaves."""

import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

__all__ = ["StopSignals"]

_HEARD = b"stopping after this step; Ctrl-C ends the run at once, without what is not written yet\n"


class StopSignals:
    """While the block lasts, signals ask for a stop instead of ending the process.

    SIGUSR1 always does: it is what an MPI launcher passes on to its ranks. A process that runs
    alone takes SIGINT and SIGTERM in the same way, unless its parent had it ignore them; and a
    further SIGINT ends it, as a `KeyboardInterrupt`. (When one of these two comes to a launcher, it
    ends the ranks itself.) For the main thread only.

    Args:
        alone: Whether no MPI launcher has started this process.

    Example:
        >>> with StopSignals(alone=True) as signals:
        ...     signals.tell(lambda: print("asked to stop"))
        ...     signal.raise_signal(signal.SIGUSR1)
        asked to stop
    """

    def __init__(self, *, alone: bool) -> None:
        self._numbers = [signal.SIGUSR1, *([signal.SIGINT, signal.SIGTERM] if alone else [])]
        self._asked = False
        self._stop: Callable[[], None] | None = None
        self._previous: dict[int, signal.Handlers | Callable[..., object] | int | None] = {}

    def tell(self, stop: Callable[[], None]) -> None:
        """Have ``stop`` called when a stop is asked for: at once, if it has been already."""
        self._stop = stop
        if self._asked:
            stop()

    def __enter__(self) -> Self:
        for number in self._numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._hear)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self._stop is not None:
            self._stop()
        if number != signal.SIGUSR1:
            os.write(2, _HEARD)  # not print: the signal may have come in the middle of one
