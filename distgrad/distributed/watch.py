"""`Watch`: a wait for other ranks has a limit, and says whom it waits for.

A collective operation returns when every rank has come to it, and until then says nothing: a rank
that hangs, ends early or calls something else leaves the others waiting for ever. So each rank has
a side thread that does nothing while all goes well. When its rank has waited for a while, it asks
the threads of the other ranks where they are, and tells. One that is asked answers even while its
rank computes; one that does not answer is stopped, or its host is gone.
"""

import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from types import FrameType
from typing import Protocol

__all__ = ["Mailbox", "State", "Unwatched", "Waits", "Watch"]

_TICK = 0.25
"""Seconds between two looks of the side thread."""

_FIRST_QUESTION = 2.0
"""Seconds of waiting before the other ranks are asked."""

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OWN_FOLDERS = tuple([os.path.join(_PACKAGE, folder, "") for folder in ("backend", "distributed")])


class Waits(Protocol):
    """Watches over waits for other ranks, each of which runs inside ``with``."""

    @property
    def over(self) -> bool:
        """Whether the time of the wait is up: all ranks are being ended."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class Unwatched:
    """For waits that nobody watches over: there is no other rank, or no thread that could."""

    over = False

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class Mailbox(Protocol):
    """Carries messages between the side threads."""

    def send(self, rank: int, message: bytes) -> None:
        """Send a message; returns at once."""

    def receive(self) -> Iterable[tuple[int, bytes]]:
        """Return the messages that have arrived, with the ranks that sent them."""


@dataclass(frozen=True)
class State:
    """Where a rank is.

    Attributes:
        name: The rank and its host.
        operations: How many operations with other ranks it has begun.
        waits: Whether the last of them is still going on.
        ended: Whether its program has ended.
        place: The line that its main thread is at.
    """

    name: str
    operations: int
    waits: bool
    ended: bool
    place: str


class Watch:
    """Watches over the operations with other ranks; each runs inside ``with watch:``.

    Args:
        rank: This rank.
        size: The number of ranks.
        host: The name of this rank's machine.
        mailbox: Reaches the watches of the other ranks.
        abort: Ends all ranks with an exit status.
        timeout: Seconds that an operation may wait; what it waits for is told after a 60th of it,
            and then each time that the wait has doubled.

    Attributes:
        over: See `Waits.over`.
    """

    def __init__(
        self,
        rank: int,
        size: int,
        host: str,
        mailbox: Mailbox,
        abort: Callable[[int], object],
        timeout: float,
    ) -> None:
        self._rank = rank
        self._others = [other for other in range(size) if other != rank]
        self._name = f"rank {rank} ({host})"
        self._mailbox = mailbox
        self._abort = abort
        self._timeout = timeout
        self._main = threading.get_ident()
        self._operations = 0
        self._since: float | None = None
        self._ended = False
        self.over = False
        self._closed = threading.Event()
        self._answers: dict[int, State] = {}
        self._thread = threading.Thread(target=self._run, name="distgrad-watch", daemon=True)
        self._thread.start()

    def __enter__(self) -> None:
        self._operations += 1
        self._since = monotonic()

    def __exit__(self, *_: object) -> None:
        self._since = None

    def end(self) -> None:
        """Let the others know, when they ask, that this program has ended."""
        self._ended = True

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()
        self._thread.join()

    # The side thread

    def _run(self) -> None:
        number, next_look = 0, 0.0
        while not self._closed.wait(_TICK):
            self._answer_and_collect()
            since = self._since
            if since is None:
                continue
            if number != self._operations:
                number, next_look = self._operations, min(_FIRST_QUESTION, self._timeout / 60)
            waited = monotonic() - since
            if waited < next_look:
                continue
            next_look *= 2
            states = self._ask(number)
            if self._operations == number and self._since is not None:
                self._judge(states, waited)

    def _answer_and_collect(self) -> None:
        for rank, message in self._mailbox.receive():
            state = pickle.loads(message)
            if state is None:
                self._mailbox.send(rank, pickle.dumps(self._state()))
            else:
                self._answers[rank] = state

    def _state(self) -> State:
        return State(
            self._name,
            self._operations,
            self._since is not None,
            self._ended,
            _place(sys._current_frames().get(self._main)),
        )

    def _ask(self, number: int) -> dict[int, State]:
        """Return where the other ranks are; without those that do not answer."""
        self._answers = {}
        question = pickle.dumps(None)
        for rank in self._others:
            self._mailbox.send(rank, question)
        deadline = monotonic() + max(4 * _TICK, min(5.0, self._timeout / 60))
        while (
            len(self._answers) < len(self._others)
            and monotonic() < deadline
            and self._operations == number
            and not self._closed.wait(_TICK / 5)
        ):
            self._answer_and_collect()
        return {**self._answers, self._rank: self._state()}

    def _judge(self, states: dict[int, State], waited: float) -> None:
        """Tell what is waited for, and end a wait that is in vain or too long."""
        own = states[self._rank]
        late = [s for s in states.values() if s.operations < own.operations]
        ended = [state for state in late if state.ended]
        silent = [rank for rank in self._others if rank not in states]
        waiting = [rank for rank, s in states.items() if s.waits and s.operations == own.operations]
        speaks = self._rank == min(waiting)
        if ended:
            self._give_up(speaks, f"{own.name} waits in {own.place}, but {_ended(ended)}")
        if waited < self._timeout / 60:
            return
        where = [f"{state.name} is at {state.place}" for state in late]
        where += [f"rank {rank} does not answer (stopped, or its host is gone)" for rank in silent]
        if not where:
            fellows = [f"{s.name} in {s.place}" for r, s in states.items() if r != self._rank]
            where = [f"all ranks wait, but not in the same operation: {', '.join(fellows)}"]
        told = f"{own.name} has waited for {waited:.0f} s in {own.place}: {'; '.join(where)}"
        if waited >= self._timeout:
            self._give_up(speaks, f"{told}. That is more than the {self._timeout:g} s allowed")
        if speaks:
            _say(f"{told}. After {self._timeout:g} s of waiting all ranks are ended")

    def _give_up(self, speaks: bool, message: str) -> None:
        self.over = True
        if speaks:
            _say(message)
            self._abort(3)
        self._closed.wait(10.0)  # for the rank that speaks to end the job
        self._abort(3)


def _ended(states: list[State]) -> str:
    names = ", ".join(state.name for state in states)
    verb = "has ended its program" if len(states) == 1 else "have ended their programs"
    return f"{names} {verb}: every rank must take as many steps, and leave by the same way"


def _place(frame: FrameType | None) -> str:
    """Return the innermost line that a thread is at outside of what carries messages."""
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_OWN_FOLDERS):
            return f"{code.co_filename}:{frame.f_lineno} ({code.co_name})"
        frame = frame.f_back
    return "an unknown place"


def _say(message: str) -> None:
    sys.stderr.write(f"distgrad: {message}.\n")
    sys.stderr.flush()
