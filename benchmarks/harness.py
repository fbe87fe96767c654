"""Runs the sides in interleaved rounds of fresh processes and sums up what they measured."""

import contextlib
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from claims import Claim
from sides import Side
from workers.workload import Workload

HERE = Path(__file__).resolve().parent
TIMEOUT = 900.0
"""Seconds after which a run is ended."""

COMPARED_LOSSES = 5
START_TOLERANCE = 2e-6
"""Sides that have the same model agree in the loss of the first step, but for rounding."""
LOSS_TOLERANCE = 1e-4
"""Those that also train it on the same batches, in the losses of the first steps."""

METRICS = {
    "step_ms": "ms per step",
    "step_p90_ms": "ms per step, p90",
    "first_step_s": "s to first step",
    "peak_memory_mb": "MB of a rank",
}
"""What is measured, with the headings of the table; the largest value of the ranks counts."""

Run = dict[str, Any]


def compare(
    claim: Claim,
    ranks: int,
    rounds: int,
    sides: Mapping[str, Side],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure each side once a round, one after the other: A B C, B C A, C A B, ...

    What a side compiles and keeps is there from the first round on.

    Returns:
        "runs" (all of them, in order), "loss_deviation" (the largest of `loss_difference`) and
        "summary" (side -> metric -> spread); `ratios` are made from the runs.

    Raises:
        RuntimeError: If a run fails, or did not do the same work as the first one.
    """
    runs: list[Run] = []
    deviation = 0.0
    for side in sides.values():
        if side.compiles:
            run_side(side, replace(claim, warmup=1, steps=2), ranks)
    for number in range(1, rounds + 1):
        first = (number - 1) % len(sides)
        for name in (*list(sides)[first:], *list(sides)[:first]):
            side = sides[name]
            run = {"side": name, "round": number, **run_side(side, claim, ranks)}
            runs.append(run)
            deviation = max(deviation, loss_difference(run, runs[0]))
            progress(f"round {number}/{rounds}  {name:33} {run['measured']['step_ms']:9.3f} ms")
    return {
        "runs": runs,
        "loss_deviation": deviation,
        "summary": {name: _per_metric(values(runs, name)) for name in sides},
    }


def run_side(side: Side, claim: Claim, ranks: int) -> Run:
    """Run one side in fresh processes; of each metric the largest value of the ranks counts."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        _run_processes(side, claim.workload(ranks, time.monotonic(), folder))
        reports = [json.loads(path.read_text()) for path in sorted(Path(folder).glob("rank-*"))]
    if len(reports) != ranks:
        raise RuntimeError(f"{side.worker}: {len(reports)} of {ranks} ranks left a report")
    measured = [report["measured"] for report in reports]
    return {
        "measured": {metric: max(of_rank[metric] for of_rank in measured) for metric in METRICS},
        "losses": reports[0]["losses"][:COMPARED_LOSSES],
        "versions": reports[0]["versions"],
    }


def _run_processes(side: Side, workload: Workload) -> None:
    deadline = time.monotonic() + TIMEOUT
    started: list[subprocess.Popen[str]] = []
    try:
        for command, environment in side.processes(workload.to_argument(), workload.ranks):
            started.append(
                subprocess.Popen(
                    command,
                    cwd=HERE,
                    env={**_outside_mpi(os.environ), **environment},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    start_new_session=True,
                )
            )
        for process in started:
            output, _ = process.communicate(timeout=max(0.0, deadline - time.monotonic()))
            if process.returncode:
                raise RuntimeError(
                    f"{side.worker} ended with status {process.returncode}:\n{output}"
                )
    finally:
        for process in started:
            _end(process)


def _outside_mpi(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what a rank inherits, lest an mpirun started here takes itself for nested.

    Python may write compiled modules, which installed packages have: a start is to load them.
    """
    of_a_rank = ("OMPI_", "PMIX_", "PMI_", "PRTE_", "HYDRA_", "HYDI_", "MALLOC_", "DISTGRAD_")
    left_out = (*of_a_rank, "PYTHONDONTWRITEBYTECODE")
    return {k: v for k, v in environment.items() if not k.startswith(left_out)}


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()  # lets mpirun end its ranks, which are in sessions of their own
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=10)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def loss_difference(run: Run, expected: Run) -> float:
    """Return the largest relative difference of the losses of two runs.

    Raises:
        RuntimeError: If that of the first step is above `START_TOLERANCE`, or another one above
            `LOSS_TOLERANCE`: then the sides did not do the same work.
    """
    worst = 0.0
    for step, (loss, right) in enumerate(zip(run["losses"], expected["losses"], strict=True)):
        difference = abs(loss - right) / abs(right)
        tolerance = LOSS_TOLERANCE if step else START_TOLERANCE
        if not difference <= tolerance:
            raise RuntimeError(
                f"the losses of step {step + 1} differ by {difference:.1e}, more than "
                f"{tolerance:.0e}: {expected['side']} {expected['losses']}, "
                f"{run['side']} {run['losses']}"
            )
        worst = max(worst, difference)
    return worst


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return minimum, quartiles, median and maximum."""
    low, middle, high = (
        statistics.quantiles(values, n=4, method="inclusive")
        if len(values) > 1
        else [values[0]] * 3
    )
    return {"median": middle, "min": min(values), "q1": low, "q3": high, "max": max(values)}


def values(runs: Sequence[Run], side: str) -> dict[str, list[float]]:
    """Return what the runs of a side measured, round by round."""
    of_side = [run["measured"] for run in runs if run["side"] == side]
    return {metric: [measured[metric] for measured in of_side] for metric in METRICS}


def ratios(runs: Sequence[Run], side: str, peer: str) -> dict[str, dict[str, float]]:
    """Return the spread of a side's ratios to another one, each taken within a round."""
    ours, theirs = values(runs, side), values(runs, peer)
    return _per_metric(
        {
            metric: [a / b for a, b in zip(ours[metric], theirs[metric], strict=True)]
            for metric in METRICS
        }
    )


def _per_metric(measured: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    return {metric: spread(of_metric) for metric, of_metric in measured.items()}
