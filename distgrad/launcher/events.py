"""What a launch waits for: the end of mpirun, and signals that ask it to stop."""

import os
import select
import signal
import time
from collections.abc import Collection
from types import TracebackType
from typing import Self

EXITED = 0
"""The event that mpirun has exited; every other event is the number of a signal."""

_REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Events:
    """Receives SIGINT, SIGTERM and SIGHUP, but those that the caller ignores, as nohup does.

    They come through a pipe that Python's own handler writes to: of two signals in one moment the
    kernel gives the second to a thread of its choice, and a main thread that waits for a lock or a
    queue may then miss both. A context manager, for the main thread.
    """

    def __enter__(self) -> Self:
        """Takes over the signals."""
        self._receiver, self._sender = os.pipe()
        os.set_blocking(self._sender, False)
        self._previous = {
            number: signal.signal(number, lambda *_: None)
            for number in _REQUESTS
            if signal.getsignal(number) != signal.SIG_IGN
        }
        self._previous_sender = signal.set_wakeup_fd(self._sender, warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Gives the signals back."""
        signal.set_wakeup_fd(self._previous_sender)
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        os.close(self._sender)
        os.close(self._receiver)

    def exited(self) -> None:
        """Tells, from any thread, that mpirun has exited."""
        os.write(self._sender, bytes([EXITED]))

    def next(self, within: float | None = None, but: Collection[int] = ()) -> int | None:
        """Waits for the next event.

        Args:
            within: seconds; None waits for ever.
            but: signals that do not count.

        Returns:
            The event; None if none came in time.
        """
        poll = select.poll()
        poll.register(self._receiver, select.POLLIN)
        deadline = None if within is None else time.monotonic() + within
        while True:
            left = None if deadline is None else 1000 * max(0.0, deadline - time.monotonic())
            if not poll.poll(left):
                return None
            event = os.read(self._receiver, 1)[0]
            if event == EXITED or (event in self._previous and event not in but):
                return event
