"""Turns what mpirun prints into lines that carry their rank.

mpirun mixes the output of all ranks into one stream and tags it. Open MPI 5 tags whole lines;
MPICH and Open MPI 4 tag whatever piece they happen to read, in the middle of a line too, so that
pieces of several ranks share a line::

    [1]<rank>: loss 0.[0]<rank>: loss 0.31
    [1]<rank>: 27

Here the pieces are put together again, for each rank, and every line leaves under one prefix.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

Owner = int | None
"""A rank; None is mpirun itself, whose own messages carry no tag."""

_TAGS = {
    "openmpi": re.compile(rb"\[\d+,(\d+)\]<std(?:out|err)>: "),
    "openmpi-4": re.compile(rb"\[\d+,(\d+)\]<std(?:out|err)>:"),
    # Where a rank has left its last line unfinished, Hydra's own words stand behind it.
    "hydra": re.compile(rb"\[(\d+)\]<rank>: |(?=\[mpiexec@\S+\] Exit codes:)"),
}


def tag_pattern(vendor: str | None, version: tuple[int, ...]) -> re.Pattern[bytes]:
    """The tag that an MPI puts before the output of a rank; its group 1 is the rank, if one."""
    if vendor != "openmpi":
        return _TAGS["hydra"]
    return _TAGS["openmpi" if version >= (5,) else "openmpi-4"]


def lines_by_rank(stream: Iterable[bytes], tag: re.Pattern[bytes]) -> Iterator[tuple[Owner, bytes]]:
    r"""Yields (rank, line) for every line of the ranks, and (None, line) for those of mpirun.

    A line comes without its newline, as soon as it is complete and as long as it may be; what a
    rank leaves unfinished comes when the stream ends. Bytes pass unchanged, whatever they encode.

    Args:
        stream: mpirun's output, cut after newlines, as iterating over a binary file gives it.
        tag: from `tag_pattern`.

    Example:
        >>> stream = [b"[1]<rank>: loss 0.[0]<rank>: loss 0.31\n", b"[1]<rank>: 27\n"]
        >>> list(lines_by_rank(stream, tag_pattern("mpich", (5,))))
        [(0, b'loss 0.31'), (1, b'loss 0.27')]
    """
    unfinished: defaultdict[Owner, bytes] = defaultdict(bytes)
    for line in stream:
        for owner, piece in _pieces(line, tag):
            unfinished[owner] += piece
        if line.endswith(b"\n"):
            yield owner, unfinished.pop(owner)[:-1]
    for owner, rest in unfinished.items():
        if rest != b"\0":  # with which Open MPI ends the stream of a rank that aborted
            yield owner, rest


def prefixed(owner: Owner, line: bytes) -> bytes:
    r"""The line as the user sees it.

    Example:
        >>> prefixed(1, b"loss 0.27")
        b'[rank 1] loss 0.27\n'
    """
    return line + b"\n" if owner is None else b"[rank %d] %b\n" % (owner, line)


def _pieces(line: bytes, tag: re.Pattern[bytes]) -> Iterator[tuple[Owner, bytes]]:
    owner: Owner = None
    start = 0
    for match in tag.finditer(line):
        if match.start() > start:
            yield owner, line[start : match.start()]
        owner, start = int(match[1]) if match[1] else None, match.end()
    yield owner, line[start:]
