"""What a rank measures of itself, and leaves in a file for the harness."""

import json
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from workers.workload import Workload


class Stopwatch:
    """Notes when each step ends; `report` writes the result.

    A step's time is that from the end of the one before, so it holds everything that a training
    loop does: data, forward and backward passes, reduction, optimizer.
    """

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._ends: list[float] = []

    @property
    def running(self) -> bool:
        """Whether there are steps left to do."""
        return len(self._ends) < self._workload.warmup + self._workload.steps

    def step_done(self) -> None:
        """To be called at the end of every optimizer step."""
        self._ends.append(time.monotonic())

    def report(self, rank: int, losses: Sequence[float], versions: dict[str, Any]) -> None:
        """Leave this rank's measurements; ``losses`` are the mean losses of all steps."""
        ends = self._ends[self._workload.warmup - 1 :]
        steps = [1e3 * (end - start) for start, end in pairwise(ends)]
        measured = {
            "step_ms": statistics.median(steps),
            "step_p90_ms": statistics.quantiles(steps, n=10, method="inclusive")[-1],
            "first_step_s": self._ends[0] - self._workload.launched,
            "peak_memory_mb": peak_memory() / 2**20,
        }
        report = {
            "rank": rank,
            "measured": measured,
            "losses": list(losses),
            "versions": {"python": platform.python_version(), **versions},
        }
        folder = Path(self._workload.report)
        unfinished = folder / f".{os.getpid()}"
        unfinished.write_text(json.dumps(report))
        unfinished.rename(folder / f"rank-{rank}.json")


def peak_memory() -> int:
    """Return the largest resident memory of this process in bytes.

    Linux passes ``ru_maxrss`` of the parent on through fork and exec, the high-water mark in
    ``/proc`` it does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
