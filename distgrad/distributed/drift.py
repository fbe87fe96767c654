"""`DriftWatch`: parameters that are no longer the same on all ranks are found, and named.

Replicas stay alike because every rank takes the same steps. Broken memory, a host with another
arithmetic or code that depends on the rank end that without a word: the ranks go on, each with a
model of its own. So with every record a rank sends the checksum of one block of its parameters, the
next block each time. A difference is found within one rotation, at the cost of reading 64K
elements a step.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import cycle

from distgrad.backend import Array, to_host
from distgrad.distributed.communicator import Communicator
from distgrad.errors import TrainingError
from distgrad.flat import BLOCK, FlatLayout

__all__ = ["DriftWatch"]


class DriftWatch:
    """Takes checksums of the parameters, block by block.

    Args:
        layout: Where each parameter lies.
        values: The flat array of the parameters.
    """

    def __init__(self, layout: FlatLayout, values: Array) -> None:
        self._layout = layout
        self._values = values
        self._starts = cycle(range(0, layout.size, BLOCK) or [0])

    def checksum(self) -> int:
        """Return the CRC-32 of the next block; every rank calls it as often."""
        start = next(self._starts)
        return _crc(self._values[start : start + BLOCK])

    def error(self, comm: Communicator, call: str) -> TrainingError:
        """Return what to raise on every rank when checksums differ; all ranks call it.

        Args:
            comm: The ranks.
            call: What they were doing when it was found.
        """
        own = [_crc(self._values[s.offset : s.end]) for s in self._layout.segments]
        hosts, checksums = zip(*comm.all_gather_object((comm.host, own)), strict=True)
        differing = [
            (segment.name, column)
            for segment, column in zip(
                self._layout.segments, zip(*checksums, strict=True), strict=True
            )
            if len(set(column)) > 1
        ]
        name, column = differing[0]
        others = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
        blocks = -(-self._layout.size // BLOCK)
        return TrainingError(
            f"the parameters of the ranks have drifted apart: {name!r}{others} "
            f"{_who(column, hosts)}. It was found in {call}, and happened within the last "
            f"{blocks} of such calls; look for code that depends on the rank, for hosts with "
            "another NumPy or processor, or for broken memory, and go on from a checkpoint"
        )


def _crc(array: Array) -> int:
    return zlib.crc32(to_host(array).data)


def _who(checksums: Sequence[int], hosts: Sequence[str]) -> str:
    """Say which ranks differ from the majority, or from which others where there is none."""
    (most_common, votes), *_ = Counter(checksums).most_common()
    if 2 * votes <= len(checksums):
        groups = [_ranks(checksums, value, hosts) for value in dict.fromkeys(checksums)]
        return f"differs between {' and '.join(groups)}, of which none is a majority"
    odd = [value for value in dict.fromkeys(checksums) if value != most_common]
    wrong = ", ".join(_ranks(checksums, value, hosts) for value in odd)
    return f"has other values on {wrong} than on the other {votes} ranks"


def _ranks(checksums: Sequence[int], value: int, hosts: Sequence[str]) -> str:
    own = [
        f"{rank} ({host})"
        for rank, (checksum, host) in enumerate(zip(checksums, hosts, strict=True))
        if checksum == value
    ]
    return f"rank {', '.join(own)}"
