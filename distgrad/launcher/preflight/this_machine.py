"""All that is checked on one machine, without MPI.

Also a program, ``python -m distgrad.launcher.preflight.this_machine VENDOR RANKS FOLDER``, which
prints the results as JSON, one a line: so the other machines of a run are checked.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from distgrad.launcher.preflight import resources, single_copy
from distgrad.launcher.preflight.container import container
from distgrad.launcher.preflight.limit import within
from distgrad.launcher.preflight.result import Result

_WITHIN = 15.0
"""Seconds for a check; all of them take far less, or hang."""


@dataclass(frozen=True)
class Planned:
    """What is to run on a machine.

    Attributes:
        vendor: the MPI, as in `mpi_runtime.Mpi`; None if unknown.
        ranks: the number of ranks on this machine.
        folder: where runs are written; None if that is not to be checked.
    """

    vendor: str | None
    ranks: int
    folder: Path | None


def check(planned: Planned) -> Iterator[Result]:
    """Yields the results of all checks of this machine."""
    where = container()
    yield within(
        _WITHIN,
        "single copy",
        "a process that reads the memory of another",
        "export OMPI_MCA_smsc=^cma",
        lambda: single_copy.between_siblings(planned.vendor, where=where),
    )
    yield from _resources(planned, where)
    yield resources.cores(planned.ranks, where=where)


def check_quickly(planned: Planned) -> Iterator[Result]:
    """Yields the results of what can be checked without starting a process."""
    where = container()
    if planned.ranks > 1:
        yield single_copy.of_this_process(planned.vendor, where=where)
    yield from _resources(planned, where)


def _resources(planned: Planned, where: str | None) -> Iterator[Result]:
    yield within(
        _WITHIN,
        "shared memory",
        "/dev/shm",
        "sudo mount -o remount,size=1g /dev/shm",
        lambda: resources.shared_memory(planned.vendor, planned.ranks, where=where),
    )
    yield resources.memory(planned.ranks, where=where)
    if planned.folder is not None:
        yield within(
            _WITHIN,
            "disk",
            str(planned.folder),
            "distgrad launch --run-dir PATH ...   # on another disk",
            partial(resources.disk, planned.folder),
        )


def _main(vendor: str, ranks: str, folder: str) -> None:
    for result in check(Planned(vendor or None, int(ranks), Path(folder))):
        print(json.dumps(asdict(result)), flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
