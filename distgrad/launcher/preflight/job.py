"""Runs a command under mpirun within a time limit, for what its processes report."""

import json
import os
import re
import signal
import subprocess
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

from distgrad.launcher.banners import SERVER_NOT_STARTED, BannerFilter
from distgrad.launcher.command_line import mpirun_command
from distgrad.launcher.errors import LaunchError
from distgrad.launcher.job_folder import JobFolder
from distgrad.launcher.leftovers import MARK, kill_marked
from distgrad.launcher.mpi_runtime import job_environment
from distgrad.launcher.mpirun import Mpirun
from distgrad.launcher.options import LaunchOptions
from distgrad.launcher.output import Owner, lines_by_rank, tag_pattern

_STARTS = 3
"""How often mpirun is started where it fails before it has started any rank."""

_END_WITHIN = 3.0
"""Seconds that a job which is ended has for it, before it is killed."""


@dataclass
class Outcome:
    """What came of a job.

    Attributes:
        reports: the JSON objects that its processes printed, one a line, as they came.
        words: the other lines.
        notes: what mpirun said in boxes that are known, in one line each.
        status: mpirun's exit status; None if the job was not done in time and was ended.
    """

    reports: list[dict[str, Any]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    status: int | None = None

    @property
    def reason(self) -> str:
        """Why the job failed, in one line, as far as its output tells.

        A program's last line mostly says it, that of a traceback or of ssh; behind it stand the
        complaints of an mpirun: Hydra's, of which the first is the cause, or Open MPI's box.
        """
        boxed, free = _unbox(self.words)
        own = [line.strip() for line in free if line.strip() and not _OF_HYDRA.match(line)]
        hydra = [_OF_HYDRA.sub("", line).strip() for line in free if _OF_HYDRA.match(line)]
        box = " ".join(" ".join(boxed).split())[:_LONGEST]
        said = [*own[-1:], *self.notes[-1:], *hydra[:1], box]
        return next(filter(None, said), f"mpirun ended with {self.status}")


_OF_HYDRA = re.compile(r"\[(mpiexec|proxy)[@:][^]]*\]( \w+ \([^)]*\):)?")
_EDGE = re.compile(r"-{50,}|={50,}")
_LONGEST = 200


def _unbox(lines: list[str]) -> tuple[list[str], list[str]]:
    """Tells the lines within boxes from those outside."""
    places: tuple[list[str], list[str]] = ([], [])
    outside = True
    for line in lines:
        if _EDGE.fullmatch(line.strip()):
            outside = not outside
        else:
            places[outside].append(line)
    return places


def run_job(
    mpirun: Mpirun, options: LaunchOptions, command: Sequence[str], within: float
) -> Outcome:
    """Runs `command` on ``options.ranks`` ranks; nothing of it is left when this returns."""
    try:
        for _ in range(_STARTS):
            with JobFolder() as folder:
                outcome = _run(mpirun, options, command, within, folder)
                folder.ended_well = outcome.status == 0
            if SERVER_NOT_STARTED not in outcome.notes:
                break
    except (LaunchError, OSError) as error:
        return Outcome(words=[str(error)], status=LaunchError.exit_status)
    return outcome


def _run(
    mpirun: Mpirun,
    options: LaunchOptions,
    command: Sequence[str],
    within: float,
    folder: JobFolder,
) -> Outcome:
    outcome = Outcome()
    job = subprocess.Popen(
        mpirun_command(mpirun, options, command, folder.path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**job_environment(mpirun.environment), MARK: str(folder.path)},
    )
    assert job.stdout is not None
    reader = threading.Thread(target=_read, args=(job.stdout, mpirun, outcome), daemon=True)
    reader.start()
    try:
        outcome.status = job.wait(within)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if outcome.status != 0:
            _end(job, folder.mark)
        reader.join(_END_WITHIN)
    return outcome


def _read(stream: IO[bytes], mpirun: Mpirun, outcome: Outcome) -> None:
    filters: defaultdict[Owner, BannerFilter] = defaultdict(BannerFilter)
    tag = tag_pattern(mpirun.mpi.vendor, mpirun.mpi.version)
    with stream:
        for owner, line in lines_by_rank(stream, tag):
            for passed in filters[owner].feed(line):
                _sort(passed.decode(errors="replace"), outcome)
    for banner_filter in filters.values():
        outcome.notes += [note.text for note in banner_filter.notes if note.text]
        for passed in banner_filter.finish():
            _sort(passed.decode(errors="replace"), outcome)


def _sort(line: str, outcome: Outcome) -> None:
    with suppress(ValueError):
        report = json.loads(line)
        if isinstance(report, dict):
            outcome.reports.append(report)
            return
    outcome.words.append(line)


def _end(job: "subprocess.Popen[bytes]", mark: str) -> None:
    # First the gentle way: it is the one by which mpirun ends what it has started on other hosts.
    job.terminate()
    try:
        job.wait(_END_WITHIN)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            job.wait(_END_WITHIN)
    kill_marked(mark, _END_WITHIN)
