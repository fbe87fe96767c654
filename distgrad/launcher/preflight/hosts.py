"""Does every host of a hostfile answer, and is it fit for its ranks?

mpirun itself carries the question to each host alone: so it takes the way that a run takes, and a
host that does not answer is known by its name.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from distgrad.launcher.errors import LaunchError
from distgrad.launcher.mpirun import Mpirun
from distgrad.launcher.options import LaunchOptions
from distgrad.launcher.preflight.job import Outcome, run_job
from distgrad.launcher.preflight.result import Level, Result, green, red
from distgrad.launcher.preflight.this_machine import Planned

REACHABLE = "reachable"
"""The check whether a host answers at all."""

_ANSWER_WITHIN = 30.0
"""Seconds for one host: a login, and a Python that starts there."""

_AT_A_TIME = 8

_PROGRAM = "distgrad.launcher.preflight.this_machine"


@dataclass(frozen=True)
class Host:
    """A line of a hostfile.

    Attributes:
        name: the host.
        line: the whole line.
    """

    name: str
    line: str


def read_hostfile(file: Path) -> list[Host]:
    r"""Reads the hosts of a hostfile, in the format of either MPI; each of them once.

    Raises:
        LaunchError: if the file cannot be read or names no host.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile("w", suffix="hosts") as file:
        ...     _ = file.write("# two machines\nh1 slots=4\nh2:4  # of MPICH\nh1\n")
        ...     file.flush()
        ...     [host.name for host in read_hostfile(Path(file.name))]
        ['h1', 'h2']
    """
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise LaunchError(f"--hostfile {file} cannot be read: {error}") from error
    hosts: dict[str, Host] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            name = words[0].partition(":")[0].rpartition("@")[2]
            hosts.setdefault(name, Host(name, " ".join(words)))
    if not hosts:
        raise LaunchError(f"--hostfile {file} names no host; write one on each line")
    return list(hosts.values())


def write_one_rank_each(hosts: Sequence[Host], vendor: str | None, file: Path) -> None:
    """Writes a hostfile that places one rank on each host."""
    slots = " slots=1" if vendor == "openmpi" else ":1"
    file.write_text("".join(f"{host.name}{slots}\n" for host in hosts))


def check_hosts(mpirun: Mpirun, hosts: Sequence[Host], planned: Planned) -> Iterator[Result]:
    """Yields for each host whether it answers, and what it finds out about itself."""
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(_AT_A_TIME) as pool:
        yield from (
            result
            for results in pool.map(_asker(mpirun, planned, Path(name)), hosts)
            for result in results
        )


def _asker(mpirun: Mpirun, planned: Planned, folder: Path) -> Callable[[Host], list[Result]]:
    words = [planned.vendor or "", str(planned.ranks), str(planned.folder)]
    command = [sys.executable, "-m", _PROGRAM, *words]

    def ask(host: Host) -> list[Result]:
        file = folder / host.name
        file.write_text(host.line + "\n")
        outcome = run_job(mpirun, LaunchOptions(1, hostfile=file), command, _ANSWER_WITHIN)
        return list(_judge(host, outcome))

    return ask


def _judge(host: Host, outcome: Outcome) -> Iterator[Result]:
    if outcome.status == 0 and outcome.reports:
        reached = green(REACHABLE, "answers")
    elif outcome.status is None:
        text = f"no answer within {_ANSWER_WITHIN:g} s; mpirun waited for its login"
        reached = red(REACHABLE, text, f"ssh {host.name} true   # shows where it stays")
    else:
        text = f"does not answer: {outcome.reason}"
        reached = red(REACHABLE, text, _mend(host, outcome))
    yield replace(reached, host=host.name)
    for report in outcome.reports:
        yield replace(Result(**report), host=host.name, level=Level(report["level"]))


_REMEDIES = {
    "Permission denied": "ssh-copy-id {host}",
    "Host key verification failed": "ssh-keyscan {host} >> ~/.ssh/known_hosts",
    "Could not resolve": "getent hosts {host}   # correct the name in the hostfile",
    "No module named": "ssh {host} {python} -m pip install distgrad",
    "Executable: ": "ssh {host} ls -l {python}   # the same Python must be there",
    "execvp error": "ssh {host} ls -l {python}   # the same Python must be there",
}
"""What a line of the answer contains, and the command that mends it."""


def _mend(host: Host, outcome: Outcome) -> str:
    said = "\n".join(outcome.words)
    for words, command in _REMEDIES.items():
        if words in said:
            return command.format(host=host.name, python=sys.executable)
    return f"ssh {host.name} true   # shows why"
