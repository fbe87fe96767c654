"""Says in one line what an MPI says in a box.

When a rank fails, mpirun prints one or two boxes of general advice after the rank's own message,
which then is hard to find. The boxes listed here are taken out and come back as one note at the
end. They are recognised whole, line for line: a box that differs in a word passes unchanged, and
so does everything that a user prints.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from signal import strsignal

_LONGEST = 13
"""Lines; no box in the list is longer."""


@dataclass(frozen=True)
class Loss:
    """A rank that a signal ended, as far as its MPI tells.

    Example:
        >>> print(Loss(signal=9, rank=1, host="node4", process=4052))
        rank 1 on node4 (process 4052) was ended by signal 9 (Killed)
        >>> print(Loss(signal=11))
        a rank was ended by signal 11 (Segmentation fault)
    """

    signal: int
    rank: int | None = None
    host: str | None = None
    process: int | None = None
    first: bool = False
    """Whether all that is known is that no rank was seen to end before it."""

    def __str__(self) -> str:
        rank = "a rank" if self.rank is None else f"rank {self.rank}"
        host = f" on {self.host}" if self.host else ""
        process = f" (process {self.process})" if self.process else ""
        first = ", the first to end," if self.first else ""
        name = strsignal(self.signal) or "not known here"
        return f"{rank}{host}{process}{first} was ended by signal {self.signal} ({name})"


@dataclass(frozen=True)
class Note:
    """What a box said.

    Attributes:
        text: the one line to show; empty if another box of the same event says it.
        loss: the rank that a signal ended.
        statuses: what became of every rank, as ``wait`` tells it; by host, in the order of the
            ranks.
        abort: the status that a rank gave to MPI_Abort.
    """

    text: str
    loss: Loss | None = None
    statuses: tuple[tuple[int, ...], ...] = ()
    abort: int | None = None


@dataclass(frozen=True)
class _Banner:
    """A box: its first line, how its second begins, and all of it with its blanks made single.

    What it says of a loss becomes the note, else the words of `note`.
    """

    rule: re.Pattern[bytes]
    begins: re.Pattern[bytes]
    whole: re.Pattern[bytes]
    note: str

    def may_become(self, lines: list[bytes]) -> bool:
        if not self.rule.fullmatch(lines[0]) or len(lines) > _LONGEST:
            return False
        return len(lines) == 1 or self.begins.match(lines[1]) is not None

    def read(self, lines: list[bytes]) -> Note | None:
        match = self.whole.fullmatch(b" ".join(b" ".join(lines).split()))
        if match is None:
            return None
        words = {
            name: word.decode(errors="replace")
            for name, word in match.groupdict().items()
            if word is not None
        }
        loss = _loss(words)
        text = self.note.format_map(words) if loss is None else str(loss)
        abort = int(words["abort"]) if "abort" in words else None
        return Note(text, loss, _statuses(words.get("statuses", "")), abort)


def _loss(words: Mapping[str, str]) -> Loss | None:
    if "signal" not in words:
        return None
    rank, process = (int(words[name]) if name in words else None for name in ("rank", "process"))
    return Loss(int(words["signal"]), rank, words["host"], process)


def _statuses(text: str) -> tuple[tuple[int, ...], ...]:
    """Reads ``[host] 0,9 [other] 0,0``."""
    by_host = re.findall(r"\] ([\d,]+)", text)
    return tuple(tuple(int(status) for status in host.split(",") if status) for host in by_host)


def _openmpi(begins: bytes, rest: bytes, note: str = "") -> _Banner:
    text = begins + rb" " + rest
    return _Banner(
        rule=re.compile(rb"-{50,}"),
        begins=re.compile(begins),
        whole=re.compile(rb"-+ " + text + rb" -+"),
        note=note,
    )


def _hydra(rest: bytes) -> _Banner:
    return _Banner(
        rule=re.compile(rb"(?:={50,})?"),  # an empty line stands before the box
        begins=re.compile(rb"={50,}|=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES"),
        whole=re.compile(rb"=+ = BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES = " + rest),
        note="",
    )


def _line(text: bytes, note: str = "") -> _Banner:
    """A line that stands alone."""
    return _Banner(re.compile(text), re.compile(rb"(?!)"), re.compile(text), note)


SERVER_NOT_STARTED = "mpirun could not start its own server; no rank was started"

_STATUSES = rb"\[mpiexec@\S+\] Exit codes:(?P<statuses>.*)"

_BANNERS = (
    # A race in PMIx, rare, and gone with the next start.
    _openmpi(
        rb"The PMIx server's listener thread failed to start\. We cannot",
        rb"continue\.",
        SERVER_NOT_STARTED,
    ),
    _openmpi(
        rb"MPI_ABORT was invoked on rank \d+ in communicator",
        rb".+ Proc: \S+ Errorcode: -?\d+ NOTE: invoking MPI_ABORT causes Open MPI to kill all MPI "
        rb"processes\. You may or may not see output from other processes, depending on exactly "
        rb"when Open MPI kills them\.",  # mpirun's own box follows, and names the host too
    ),
    _openmpi(
        rb"MPI_ABORT was invoked on rank (?P<rank>\d+) in communicator",
        rb"\S+ with errorcode -?\d+\. NOTE: invoking MPI_ABORT causes Open MPI to kill all MPI "
        rb"processes\. You may or may not see output from other processes, depending on exactly "
        rb"when Open MPI kills them\.",
        "rank {rank} called MPI_Abort",  # in Open MPI 4, where no other box follows
    ),
    _openmpi(
        rb"\S+ has exited due to process rank",
        rb'(?P<rank>\d+) with PID \d+ on node (?P<host>\S+) calling "abort"\. This may have caused '
        rb"other processes in the application to be terminated by signals sent by \S+ \(as "
        rb"reported here\)\.",
        "rank {rank} on {host} called MPI_Abort",
    ),
    _openmpi(
        rb"\S+ noticed that process rank",
        # Open MPI 4 gives 0 for the process.
        rb"(?P<rank>\d+) with PID (?P<process>\d+) on node (?P<host>\S+) exited on signal "
        rb"(?P<signal>\d+) \([^)]+\)\.",
    ),
    _openmpi(
        rb"\S+ detected that one or more processes exited with non-zero status,",
        rb"thus causing the job to be terminated\. The first process to do so was: Process name: "
        rb"\[\S+,(?P<rank>\d+)\] Exit code: (?P<status>\d+)",
        "rank {rank} ended with status {status}",
    ),
    _openmpi(
        rb"Primary job +terminated normally, but 1 process returned",
        rb"a non-zero exit code\. Per user-direction, the job has been aborted\.",
    ),
    _line(rb"mpirun: Forwarding signal \d+ to job"),
    _hydra(
        # The process that it names may be one that Hydra itself ended, in cleaning up.
        rb"PID \d+ RUNNING AT (?P<host>\S+) = EXIT CODE: \d+ = CLEANING UP REMAINING PROCESSES = "
        rb"YOU CAN IGNORE THE BELOW CLEANUP MESSAGES =+ (?:" + _STATUSES + rb" )?YOUR APPLICATION "
        rb"TERMINATED WITH THE EXIT STRING: .+ \(signal (?P<signal>\d+)\) This typically refers to "
        rb"a problem with your application\. Please see the FAQ page for debugging suggestions",
    ),
    _hydra(
        # Intel MPI's, which has one for every rank that it ended, too.
        rb"RANK (?P<rank>\d+) PID (?P<process>\d+) RUNNING AT (?P<host>\S+) = KILLED BY SIGNAL: "
        rb"(?P<signal>\d+) \([^)]+\) =+",
    ),
    _line(_STATUSES),
    _line(
        rb"Abort\((?P<abort>\d+)\) on node (?P<rank>\d+) \(rank \d+ in comm \d+\): application "
        rb"called MPI_Abort\(.+\) - process \d+",
        "rank {rank} called MPI_Abort",
    ),
)


class BannerFilter:
    """Takes the known boxes out of one rank's lines, or out of mpirun's own.

    Attributes:
        notes: what the boxes taken out said, in order.

    Example:
        >>> lines = [b"-" * 74, b"my own box", b"-" * 74]
        >>> banner_filter = BannerFilter()
        >>> passed = [line for piece in lines for line in banner_filter.feed(piece)]
        >>> passed + banner_filter.finish() == lines
        True
    """

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self._held: list[bytes] = []

    def feed(self, line: bytes) -> list[bytes]:
        """Takes the next line; returns the lines that can be shown now."""
        lines = [*self._held, line]
        possible = [banner for banner in _BANNERS if banner.may_become(lines)]
        for banner in possible:
            if note := banner.read(lines):
                self.notes.append(note)
                self._held = []
                return []
        if possible:
            self._held = lines
            return []
        held = self.finish()
        # The line that breaks a box off may open the next one.
        return held + self.feed(line) if held else [line]

    def finish(self) -> list[bytes]:
        """Returns the lines of a box that never ended."""
        held, self._held = self._held, []
        return held
