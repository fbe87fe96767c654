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
from pathlib import Path
from typing import Any

from claims import Claim
from sides import SIDES, Side
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
    sides: Sequence[str],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure each side once a round, one after the other: A B C, A B C, ...

    Returns:
        "runs" (all of them, in order), "loss_deviation" (the largest of `loss_difference`),
        "summary" (side -> metric -> spread) and "ratios" (peer -> metric -> spread of the ratios of
        the first side to the peer, taken within each round).

    Raises:
        RuntimeError: If a run fails, or did not do the same work as the first one.
    """
    runs: list[Run] = []
    deviation = 0.0
    for number in range(1, rounds + 1):
        for name in sides:
            run = {"side": name, "round": number, **run_side(SIDES[name], claim, ranks)}
            runs.append(run)
            deviation = max(deviation, loss_difference(run, runs[0]))
            progress(f"round {number}/{rounds}  {name:33} {run['measured']['step_ms']:9.3f} ms")
    by_side = {name: [run for run in runs if run["side"] == name] for name in sides}
    first, *peers = sides
    return {
        "runs": runs,
        "loss_deviation": deviation,
        "summary": {name: _per_metric(_values(of_side)) for name, of_side in by_side.items()},
        "ratios": {
            peer: _per_metric(_ratios(_values(by_side[first]), _values(by_side[peer])))
            for peer in peers
        },
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
    """Leave out what a rank inherits, lest an mpirun started here takes itself for nested."""
    of_a_rank = ("OMPI_", "PMIX_", "PMI_", "PRTE_", "HYDRA_", "HYDI_", "MALLOC_", "DISTGRAD_")
    return {k: v for k, v in environment.items() if not k.startswith(of_a_rank)}


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


def _values(runs: Sequence[Run]) -> dict[str, list[float]]:
    return {metric: [run["measured"][metric] for run in runs] for metric in METRICS}


def _ratios(
    ours: Mapping[str, Sequence[float]], theirs: Mapping[str, Sequence[float]]
) -> dict[str, list[float]]:
    return {
        metric: [a / b for a, b in zip(ours[metric], theirs[metric], strict=True)]
        for metric in METRICS
    }


def _per_metric(values: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    return {metric: spread(of_metric) for metric, of_metric in values.items()}
