"""Runs mpirun to its end: output, signals, exit status, nothing left behind.

mpirun runs in a process session of its own, so that a Ctrl-C in the terminal reaches the launcher
alone, which then decides how the job ends.
"""

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from re import Pattern
from typing import IO

from distgrad.launcher.banners import SERVER_NOT_STARTED, BannerFilter, Note
from distgrad.launcher.errors import LaunchError
from distgrad.launcher.leftovers import kill_marked
from distgrad.launcher.output import Owner, lines_by_rank, prefixed

INTERRUPTED = 130
"""The exit status of a launch that a signal ended."""

_TERMINATE_WITHIN = 5.0
"""Seconds that mpirun has to end the ranks before everything is killed."""

_KILL_WITHIN = 5.0
"""Seconds for what was killed to be gone, and for the last output to pass."""

_STARTS = 3
"""How often mpirun is started where it fails before it has started any rank."""

_MARK = "DISTGRAD_JOB"

_EXITED = 0
"""The event that mpirun has exited; every other event is the number of a signal."""

_STANDARD_OUTPUT, _STANDARD_ERROR = 1, 2


def supervise(command: Sequence[str], tag: Pattern[bytes]) -> int:
    """Runs an mpirun command line and returns the exit status to pass on.

    The ranks' lines come out as ``[rank R] text``, on standard output or standard error as the
    rank wrote them. SIGINT, SIGTERM or SIGHUP end the job; a second one ends it at once.

    Args:
        command: the mpirun command line.
        tag: how this mpirun tags lines, from `output.tag_pattern`.

    Returns:
        The status of mpirun, which is that of the rank that failed; 128 + N where signal N ended
        the rank or mpirun; 130 where a signal ended the launch.

    Raises:
        LaunchError: if mpirun cannot be started.
    """
    sys.stdout.flush()
    for starts_left in reversed(range(_STARTS)):
        job = _Job(tag)
        with _signals_to(job.events.put):
            job.start(command)
            interrupted = job.wait()
            status = job.finish()
        if interrupted:
            return INTERRUPTED
        if not (starts_left and any(note.text == SERVER_NOT_STARTED for note in job.notes)):
            break
    for note in job.notes:
        if note.text:
            say(note.text)
    return status


def say(message: str) -> None:
    """Prints a message of the launcher itself, apart from what the ranks print."""
    print(f"distgrad launch: {message}", file=sys.stderr, flush=True)


class _Job:
    """One mpirun and everything that it starts on this machine."""

    def __init__(self, tag: Pattern[bytes]) -> None:
        # The one queue whose put() may be called in a signal handler.
        self.events: SimpleQueue[int] = SimpleQueue()
        self.notes: list[Note] = []
        self._tag = tag
        self._id = uuid.uuid4().hex
        self._pumps: list[threading.Thread] = []

    def start(self, command: Sequence[str]) -> None:
        try:
            self._mpirun = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env={**os.environ, _MARK: self._id},
            )
        except OSError as error:
            raise LaunchError(f"cannot start {command[0]}: {error}") from error
        assert self._mpirun.stdout is not None
        assert self._mpirun.stderr is not None
        self._pumps = [
            _in_thread(self._pump, self._mpirun.stdout, _STANDARD_OUTPUT),
            _in_thread(self._pump, self._mpirun.stderr, _STANDARD_ERROR),
        ]
        _in_thread(self._announce_exit)

    def wait(self) -> bool:
        """Waits for the end of mpirun, or brings it about; tells whether a signal asked for it."""
        event = self.events.get()
        if event == _EXITED:
            return False
        say(f"{signal.Signals(event).name}: ending all ranks (a second signal kills them)")
        self._mpirun.terminate()
        if self._next_event(_TERMINATE_WITHIN) != _EXITED:  # time is up, or a second signal
            self._kill()
            while self._next_event(_KILL_WITHIN) not in (_EXITED, None):
                pass
        return True

    def finish(self) -> int:
        """Ends what is left of a job that did not end well; returns its exit status."""
        if self._mpirun.returncode != 0:
            kill_marked(f"{_MARK}={self._id}", _KILL_WITHIN)
        for pump in self._pumps:
            pump.join(_KILL_WITHIN)
        return self._status()

    def _status(self) -> int:
        status = self._mpirun.returncode
        if status is None:  # not even SIGKILL has ended it: it hangs in the kernel
            return 128 + signal.SIGKILL
        if status < 0:
            return 128 - status
        # Hydra passes on the number of the signal that ended a rank as if it were a status.
        if any(note.signal == status for note in self.notes):
            return 128 + status
        return status

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._mpirun.pid, signal.SIGKILL)
        kill_marked(f"{_MARK}={self._id}", _KILL_WITHIN)

    def _next_event(self, within: float) -> int | None:
        try:
            return self.events.get(timeout=within)
        except Empty:
            return None

    def _announce_exit(self) -> None:
        self._mpirun.wait()
        self.events.put(_EXITED)

    def _pump(self, stream: IO[bytes], sink: int) -> None:
        filters: defaultdict[Owner, BannerFilter] = defaultdict(BannerFilter)
        write = _Writer(sink).write
        with stream:
            for owner, line in lines_by_rank(stream, self._tag):
                for passed in filters[owner].feed(line):
                    write(prefixed(owner, passed))
        for owner, banner_filter in filters.items():
            for passed in banner_filter.finish():
                write(prefixed(owner, passed))
            self.notes += banner_filter.notes


class _Writer:
    """Writes to a file descriptor until its reader has gone, and then nowhere.

    Unbuffered, because a thread that hangs in a buffered write cannot be left behind at exit; and
    a run goes on when the ``tee`` or ``less`` behind it is closed.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def write(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest and self._descriptor is not None:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                self._descriptor = None


def _in_thread(function: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


@contextmanager
def _signals_to(receive: Callable[[int], None]) -> Iterator[None]:
    """Hands SIGINT, SIGTERM and SIGHUP to `receive`, but those that the caller ignores (nohup)."""
    previous = {
        number: signal.signal(number, lambda received, _: receive(received))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
