"""Do the ranks of a job find each other, and are they placed and set up as a run needs it?

The ranks run ``distgrad.distributed.probe``; what they print is judged here.
"""

import shlex
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distgrad.launcher.command_line import mpirun_command
from distgrad.launcher.mpirun import Mpirun
from distgrad.launcher.options import LaunchOptions
from distgrad.launcher.preflight.hosts import Host, write_one_rank_each
from distgrad.launcher.preflight.job import Outcome, run_job
from distgrad.launcher.preflight.result import Result, green, red, yellow

_PROBE = "distgrad.distributed.probe"

_WITHIN = 60.0
"""Seconds for the ranks to start, find each other and exchange messages of 8 MB."""

_CLOCKS_APART = 0.5
"""Seconds; more, and the times in the logs of two hosts cannot be compared."""

_MOST_NAMED = 8

Report = dict[str, Any]


@dataclass(frozen=True)
class Answers:
    """What the ranks of a probe reported.

    Attributes:
        asked: how many ranks were started.
        command: with what, for a shell.
        outcome: what came of the job.
        within: how many seconds it had.
    """

    asked: int
    command: str
    outcome: Outcome
    within: float

    def at(self, stage: str) -> list[Report]:
        """Returns the reports of a stage, by rank."""
        found = [report for report in self.outcome.reports if report.get("stage") == stage]
        return sorted(found, key=lambda report: report["rank"])


def probe(
    mpirun: Mpirun,
    options: LaunchOptions,
    spread_over: Sequence[Host] = (),
    within: float = _WITHIN,
) -> Answers:
    """Starts the ranks, each of which reports.

    Args:
        mpirun: what starts them.
        options: how many, and where.
        spread_over: hosts, each of which gets one of the first ranks whatever the hostfile says of
            slots.
        within: seconds after which the ranks are ended.
    """
    command = [sys.executable, "-m", _PROBE]
    words = mpirun_command(mpirun, options, command)
    settings = [f"{name}={value}" for name, value in mpirun.environment.items()]
    line = shlex.join(["env", *settings, *words] if settings else words)
    with tempfile.TemporaryDirectory() as folder:
        if spread_over:
            file = Path(folder, "hosts")
            write_one_rank_each(spread_over, mpirun.mpi.vendor, file)
            options = replace(options, hostfile=file)
        outcome = run_job(mpirun, options, command, within)
    return Answers(options.ranks, line, outcome, within)


def judge(answers: Answers, vendor: str | None) -> Iterator[Result]:
    """Yields the results of all checks of a job as a whole."""
    met = check_meeting(answers, vendor)
    yield met
    reports = answers.at("measured")
    if met.level != "green":
        return
    yield check_threads(reports)
    yield check_binding(reports)
    yield check_clocks(reports)
    yield check_software(reports)
    yield from check_messages(reports, vendor)


def check_meeting(answers: Answers, vendor: str | None) -> Result:
    """Judges whether the ranks that were asked for have found each other."""
    check = "ranks"
    install = f"pip install --force-reinstall 'distgrad[{vendor}]'"
    show = f"{answers.command}   # shows all that they say"
    alone = [report for report in answers.at("connected") if report["size"] != answers.asked]
    if alone:
        sizes = ", ".join(f"{report['rank']} of {report['size']}" for report in alone)
        text = f"{answers.asked} asked, but they take themselves for rank {sizes}: mpirun and the "
        return red(check, text + "MPI library do not belong together", install)
    if failed := answers.at("failed"):
        first = min(failed, key=lambda report: bool(report["connected"]))
        mend = show if first["connected"] else install
        return red(check, f"rank {first['rank']} on {first['host']}: {first['error']}", mend)
    if answers.outcome.status is None:
        return red(check, _stuck(answers), _way(vendor, answers.at("started")))
    measured = answers.at("measured")
    if answers.outcome.status != 0 or len(measured) != answers.asked:
        text = f"{answers.asked} asked, {len(measured)} got: {answers.outcome.reason}"
        return red(check, text, show)
    library = measured[0]["software"]["MPI"].partition(",")[0]
    return green(check, f"{answers.asked} asked, {len(measured)} got ({library})")


def _stuck(answers: Answers) -> str:
    started, connected = (
        {report["rank"] for report in answers.at(stage)} for stage in ("started", "connected")
    )
    missing = set(range(answers.asked)) - started
    text = f"not done within {answers.within:g} s: "
    if missing:
        return f"{text}waited for {_named(missing)} to start"
    if waiting := started - connected:
        hosts = ", ".join(_by_host(answers.at("started")))
        return f"{text}waited for {_named(waiting)} to connect, on {hosts}"
    unmeasured = connected - {report["rank"] for report in answers.at("measured")}
    return f"{text}waited for the messages of {_named(unmeasured or connected)}"


def _way(vendor: str | None, started: Sequence[Report]) -> str:
    if len(_by_host(started)) > 1:
        return f"{_interface(vendor)}   # one that reaches all hosts, past their firewalls"
    return "getent hosts $(hostname)   # must give an address of this machine"


def _interface(vendor: str | None) -> str:
    """Returns what tells the MPI which network to take."""
    if vendor != "openmpi":
        hydra = "I_MPI_HYDRA_IFACE" if vendor == "impi" else "HYDRA_IFACE"
        return f"export {hydra}=eth0 FI_TCP_IFACE=eth0"
    network = "10.0.0.0/24"
    return f"export PRTE_MCA_prte_if_include={network} OMPI_MCA_btl_tcp_if_include={network}"


def check_threads(reports: Sequence[Report]) -> Result:
    """Judges whether BLAS computes with one thread in each rank, from the start."""
    check = "threads"
    many = {name for report in reports for name, n in report["threads"].items() if n != 1}
    if many:
        text = f"{', '.join(sorted(many))} computes with several threads: the bits change"
        return red(check, text, "export OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1")
    late = [report for report in reports if any(n != 1 for n in report["threads_before"].values())]
    if late:
        ranks = _named({report["rank"] for report in late})
        text = f"one BLAS thread, but set late in {ranks}: OMP_NUM_THREADS=1 did not get there"
        return yellow(check, text, "export OMP_NUM_THREADS=1   # on that host, in ~/.bashrc")
    return green(check, f"one BLAS thread in each of {len(reports)} ranks, from the start")


def check_binding(reports: Sequence[Report]) -> Result:
    """Judges whether each rank can have a core for itself."""
    check = "binding"
    shared = ""
    for host, ranks in _by_host(reports).items():
        on_host = ranks[0]["cores_of_host"]
        if crowd := _crowd(ranks, on_host):
            cores = sorted({core for report in crowd for core in report["cores"]})
            who = _named({report["rank"] for report in crowd})
            text = f"{who} on {host} are bound to core {', '.join(cores)}, of {on_host}"
            return red(check, text, f"taskset -c 0-{on_host - 1} distgrad launch ...")
        if len(ranks) > on_host:
            shared = f"{len(ranks)} ranks on {host} share its cores, {on_host}"
    if shared:
        return yellow(check, shared, f"distgrad launch -n {on_host} ...")
    return green(check, "none: each rank can have a core for itself")


def _crowd(ranks: Sequence[Report], cores_of_host: int) -> list[Report]:
    """Finds ranks of one host that have fewer cores than they could have."""
    groups = defaultdict(list)
    for report in ranks:
        groups[tuple(report["cores"])].append(report)
    for cores, group in groups.items():
        if len(ranks) <= cores_of_host and len(group) > len(cores):
            return group
    together = {core for cores in groups for core in cores}
    return list(ranks) if len(together) < min(len(ranks), cores_of_host) else []


def check_clocks(reports: Sequence[Report]) -> Result:
    """Judges how far the wall clocks of the hosts are apart."""
    check = "clocks"
    worst = max(reports, key=lambda report: abs(report["clock"]["offset"]))
    offset, unsure = worst["clock"]["offset"], worst["clock"]["uncertainty"]
    text = f"{abs(offset) * 1e3:.2f} ms apart at most (within {unsure * 1e3:.2f} ms)"
    if abs(offset) - unsure > _CLOCKS_APART:
        than = "ahead of" if offset > 0 else "behind"
        text = f"{worst['host']} is {abs(offset):.1f} s {than} {reports[0]['host']}"
        return yellow(check, text, f"ssh {worst['host']} sudo timedatectl set-ntp true")
    return green(check, text)


def check_software(reports: Sequence[Report]) -> Result:
    """Judges whether all ranks compute with the same software."""
    check = "software"
    first = reports[0]
    for report in reports[1:]:
        for name, version in first["software"].items():
            other = report["software"].get(name)
            if other == version:
                continue
            text = (
                f"{name} is {version} on rank 0 ({first['host']}) but {other} on rank "
                f"{report['rank']} ({report['host']})"
            )
            return _different(check, name, version, text, report["host"])
    told = ", ".join(f"{name} {first['software'][name]}" for name in ("Python", "NumPy"))
    return green(check, f"the same on {len(_by_host(reports))} host(s): {told}")


_PACKAGES = {"distgrad": "distgrad", "NumPy": "numpy"}


def _different(check: str, name: str, version: str, text: str, host: str) -> Result:
    if name in _PACKAGES:
        mend = f"ssh {host} {sys.executable} -m pip install '{_PACKAGES[name]}=={version}'"
    elif name in ("BLAS", "NumPy's SIMD extensions"):
        # The oldest that both have: NumPy's own dispatch cannot exceed what the processor has.
        mend = "export OPENBLAS_CORETYPE=Haswell   # on every host, in ~/.bashrc"
    else:
        mend = f"ssh {host} {sys.executable} -VV   # install the same everywhere"
    if name in ("distgrad", "MPI"):
        return red(check, f"{text}: they cannot work together", mend)
    return yellow(check, f"{text}: the bits depend on the number of ranks", mend)


def check_messages(reports: Sequence[Report], vendor: str | None) -> Iterator[Result]:
    """Judges the speed of messages between rank 0 and a rank on each host."""
    for message in reports[0]["messages"]:
        peer = reports[message["peer"]]
        speeds = {int(size): speed for size, speed in message["bandwidth_gb_s"].items()}
        told = ", ".join(f"{speed:.2f} GB/s at {_bytes(n)}" for n, speed in speeds.items())
        latency = message["latency_us"]
        inside = peer["host"] == reports[0]["host"]
        between = f"ranks 0 and {peer['rank']}"
        if not inside:
            between += f" ({reports[0]['host']} to {peer['host']})"
        text = f"{between}: {latency:.1f} us, {told}"
        most, least = (1000.0, 0.5) if inside else (2000.0, 0.1)
        if latency <= most and speeds[max(speeds)] >= least:
            yield green("messages", text)
        elif inside:
            text += ": slow for one machine, which other programs may use too"
            yield yellow("messages", text, "top   # shows them")
        else:
            text += ": slow; training waits for it"
            yield yellow("messages", text, f"{_interface(vendor)}   # the fastest")


def _bytes(number: int) -> str:
    return f"{number >> 20} MB" if number >= 1 << 20 else f"{number >> 10} KB"


def _by_host(reports: Sequence[Report]) -> dict[str, list[Report]]:
    hosts = defaultdict(list)
    for report in reports:
        hosts[report["host"]].append(report)
    return hosts


def _named(ranks: set[int]) -> str:
    """Names ranks.

    Example:
        >>> _named({1, 0}), _named({3}), _named(set(range(100)))
        ('ranks 0, 1', 'rank 3', '100 ranks (0, 1, 2, 3, ...)')
    """
    numbers = sorted(ranks)
    if len(numbers) > _MOST_NAMED:
        return f"{len(numbers)} ranks ({', '.join(map(str, numbers[:4]))}, ...)"
    return f"rank{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
