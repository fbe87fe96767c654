"""Runs mpirun to its end: output, requests to stop, exit status.

mpirun runs in a process session of its own, so that a Ctrl-C in the terminal reaches the launcher
alone, which then decides how the job ends. mpirun itself would turn SIGINT and SIGTERM into SIGKILL
for the ranks; SIGUSR1 every one passes on to them (Open MPI 4 and 5, and the Hydra of MPICH and of
Intel MPI), and the ranks take it for a request to stop after the step that they are in.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from re import Pattern

from distgrad.launcher.banners import SERVER_NOT_STARTED, Note
from distgrad.launcher.errors import LaunchError
from distgrad.launcher.events import EXITED, Events
from distgrad.launcher.job_folder import JobFolder
from distgrad.launcher.leftovers import MARK, kill_marked
from distgrad.launcher.outcome import INTERRUPTED, Outcome, outcome
from distgrad.launcher.pump import pump
from distgrad.launcher.ranks import FirstToEnd, ranks_here

_KILL_WITHIN = 5.0
"""Seconds for what was killed to be gone, and for the last output to pass."""

_PROGRESS = 10.0
"""Seconds between the lines that tell whom a stop waits for."""

_ONE_REQUEST = 0.1
"""Seconds within which two signals are one: ``timeout`` sends them in pairs."""

_STARTS = 3
"""How often mpirun is started where it fails before it has started any rank."""

_STANDARD_OUTPUT, _STANDARD_ERROR = 1, 2


def supervise(
    command: Sequence[str],
    tag: Pattern[bytes],
    folder: JobFolder,
    ranks: int,
    environment: Mapping[str, str],
    stop_within: float,
) -> int:
    """Runs an mpirun command line and returns the exit status to pass on.

    The ranks' lines come out as ``[rank R] text``, on standard output or standard error as the
    rank wrote them. SIGINT, SIGTERM or SIGHUP ask the ranks to stop; a second one kills them.

    Args:
        command: the mpirun command line.
        tag: how this mpirun tags lines, from `output.tag_pattern`.
        folder: what ties the job's processes together.
        ranks: how many there are.
        environment: of mpirun, but for the mark of the job.
        stop_within: seconds that the ranks have to leave after a request to stop.

    Returns:
        0, or the status that a rank ended with; 4 where a signal ended a rank or mpirun; 130 where
        a signal ended the launch.

    Raises:
        LaunchError: if mpirun cannot be started.
    """
    sys.stdout.flush()
    with Events() as events:
        for _ in range(_STARTS):
            job = _Job(events, folder, ranks, stop_within)
            job.start(command, tag, environment)
            job.wait()
            job.finish()
            if job.stopping or not job.never_started:
                break
    result = job.outcome()
    folder.ended_well = result.status == 0
    for line in result.lines:
        say(line)
    return result.status


def say(message: str) -> None:
    """Prints a message of the launcher itself, apart from what the ranks print."""
    print(f"distgrad launch: {message}", file=sys.stderr, flush=True)


class _Job:
    """One mpirun and everything that it starts."""

    def __init__(self, events: Events, folder: JobFolder, ranks: int, stop_within: float) -> None:
        self.stopping = False
        self._events = events
        self._folder = folder
        self._stop_within = stop_within
        self._killed = False
        self._notes: list[Note] = []
        self._first_to_end = FirstToEnd(folder.mark, ranks)
        self._pumps: list[threading.Thread] = []

    def start(
        self, command: Sequence[str], tag: Pattern[bytes], environment: Mapping[str, str]
    ) -> None:
        try:
            self._mpirun = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env={**environment, MARK: str(self._folder.path)},
            )
        except OSError as error:
            raise LaunchError(f"cannot start {command[0]}: {error}") from error
        for stream, sink in (
            (self._mpirun.stdout, _STANDARD_OUTPUT),
            (self._mpirun.stderr, _STANDARD_ERROR),
        ):
            self._pumps.append(_in_thread(pump, stream, tag, sink, self._notes))
        _in_thread(self._announce_exit)
        self._first_to_end.start()

    def wait(self) -> None:
        """Waits for the end of mpirun, or brings it about when a signal asks for it."""
        event = self._events.next()
        if not event:
            return
        self.stopping = True
        self._ask_to_stop()
        left = self._events.next(_ONE_REQUEST, but=signal.valid_signals()) == EXITED
        say(
            f"{signal.Signals(event).name}: the ranks are asked to finish their step and write a "
            f"checkpoint, within {self._stop_within:g} s (a second signal kills them)"
        )
        if not left and not self._left_in_time():
            self._kill()

    def _left_in_time(self) -> bool:
        """Waits for the ranks to leave; tells whether they did before time or patience ran out."""
        deadline = time.monotonic() + self._stop_within
        while (left := deadline - time.monotonic()) > 0:
            # The kernel and the shell both tell of a closed terminal: that is not impatience.
            event = self._events.next(min(left, _PROGRESS), but={signal.SIGHUP})
            if event is not None:
                return event == EXITED
            if left > _PROGRESS:
                say(f"waiting for {self._who_is_left()}; {left - _PROGRESS:.0f} s left")
                self._ask_to_stop()  # again, for ranks that were only just being started
        say(f"{self._who_is_left()} did not leave within {self._stop_within:g} s; killed")
        return False

    def finish(self) -> None:
        """Ends what is left of a job that did not end well, and passes its last output."""
        self._first_to_end.stop()
        if self._mpirun.returncode != 0:
            kill_marked(self._folder.mark, _KILL_WITHIN)
        for thread in self._pumps:
            thread.join(_KILL_WITHIN)

    @property
    def never_started(self) -> bool:
        """Whether mpirun failed before it had started any rank."""
        return any(note.text == SERVER_NOT_STARTED for note in self._notes)

    def outcome(self) -> Outcome:
        """Tells what became of the job, once it has ended."""
        status = self._mpirun.returncode
        if self._killed or status is None:  # None: it hangs in the kernel, and SIGKILL does too
            return Outcome(INTERRUPTED)
        result = outcome(status, self._notes, self._first_to_end.rank)
        # A rank that is not ready for the request dies of it, and one that is done leaves with 0.
        as_asked = result.status in (0, INTERRUPTED) or result.signal == signal.SIGUSR1
        return Outcome(INTERRUPTED) if self.stopping and as_asked else result

    def _ask_to_stop(self) -> None:
        self._mpirun.send_signal(signal.SIGUSR1)

    def _kill(self) -> None:
        self._killed = True
        with suppress(ProcessLookupError):
            os.killpg(self._mpirun.pid, signal.SIGKILL)
        kill_marked(self._folder.mark, _KILL_WITHIN)
        self._events.next(_KILL_WITHIN, but=signal.valid_signals())

    def _who_is_left(self) -> str:
        here = ranks_here(self._folder.mark)
        by_rank = sorted((rank, process) for process, rank in here.items())
        named = [f"rank {rank} (process {process})" for rank, process in by_rank]
        return ", ".join(named) or "mpirun and the ranks on other hosts"

    def _announce_exit(self) -> None:
        self._mpirun.wait()
        self._events.exited()


def _in_thread(function: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread
