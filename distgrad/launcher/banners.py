"""Says in one line what an MPI says in a box.

When a rank fails, mpirun prints one or two boxes of general advice after the rank's own message,
which then is hard to find. The boxes listed here are taken out and come back as one note at the
end. They are recognised whole, line for line: a box that differs in a word passes unchanged, and
so does everything that a user prints.
"""

import re
from dataclasses import dataclass

_LONGEST = 12
"""Lines; no box in the list is longer."""


@dataclass(frozen=True)
class Note:
    """What a box said.

    Attributes:
        text: the one line to show; empty if another box of the same event says it.
        signal: the signal that ended a rank, where the box tells.
    """

    text: str
    signal: int | None = None


@dataclass(frozen=True)
class _Banner:
    """A box: its first line, how its second begins, and all of it with its blanks made single."""

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
        words = {name: word.decode(errors="replace") for name, word in match.groupdict().items()}
        signal = int(words["signal"]) if "signal" in words else None
        return Note(self.note.format_map(words), signal)


def _openmpi(begins: bytes, rest: bytes, note: str) -> _Banner:
    text = begins + rb" " + rest
    return _Banner(
        rule=re.compile(rb"-{50,}"),
        begins=re.compile(begins),
        whole=re.compile(rb"-+ " + text + rb" -+"),
        note=note,
    )


SERVER_NOT_STARTED = "mpirun could not start its own server; no rank was started"

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
        rb"when Open MPI kills them\.",
        "",  # mpirun's own box follows, and names the host too
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
        rb"(?P<rank>\d+) with PID (?P<pid>\d+) on node (?P<host>\S+) exited on signal "
        rb"(?P<signal>\d+) \((?P<what>[^)]+)\)\.",
        "rank {rank} on {host} (process {pid}) was ended by signal {signal} ({what})",
    ),
    _openmpi(
        rb"\S+ detected that one or more processes exited with non-zero status,",
        rb"thus causing the job to be terminated\. The first process to do so was: Process name: "
        rb"\[\S+,(?P<rank>\d+)\] Exit code: (?P<status>\d+)",
        "rank {rank} ended with status {status}",
    ),
    _Banner(
        rule=re.compile(rb"(?:={50,})?"),  # an empty line stands before the box
        begins=re.compile(rb"={50,}|=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES"),
        whole=re.compile(
            rb"=+ = BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES = PID \d+ "
            rb"RUNNING AT (?P<host>\S+) = EXIT CODE: \d+ = CLEANING UP REMAINING PROCESSES = YOU "
            rb"CAN IGNORE THE BELOW CLEANUP MESSAGES =+ YOUR APPLICATION TERMINATED WITH THE EXIT "
            rb"STRING: (?P<what>.+) \(signal (?P<signal>\d+)\) This typically refers to a problem "
            rb"with your application\. Please see the FAQ page for debugging suggestions"
        ),
        # The process that it names may be one that Hydra itself ended, in cleaning up.
        note="a rank on {host} was ended by signal {signal} ({what})",
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
