"""Passes on what mpirun prints: tagged by rank, without the boxes of general advice."""

import os
from collections import defaultdict
from re import Pattern
from typing import IO

from distgrad.launcher.banners import BannerFilter, Note
from distgrad.launcher.output import Owner, lines_by_rank, prefixed


def pump(stream: IO[bytes], tag: Pattern[bytes], sink: int, notes: list[Note]) -> None:
    """Passes on one of mpirun's streams until it ends.

    Args:
        stream: mpirun's output; closed in the end.
        tag: how this mpirun tags lines, from `output.tag_pattern`.
        sink: the file descriptor to write to.
        notes: what was said in the boxes that are left out is added here in the end.
    """
    filters: defaultdict[Owner, BannerFilter] = defaultdict(BannerFilter)
    write = _Writer(sink).write
    with stream:
        for owner, line in lines_by_rank(stream, tag):
            for passed in filters[owner].feed(line):
                write(prefixed(owner, passed))
    for owner, banner_filter in filters.items():
        for passed in banner_filter.finish():
            write(prefixed(owner, passed))
        notes += banner_filter.notes


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
