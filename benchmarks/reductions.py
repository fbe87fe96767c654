"""What the order of a sum costs: steps of "tree" and "allreduce" in turn, in the same processes.

mpirun -n 2 python benchmarks/reductions.py digits mlp wide     results/reductions/CLAIM-RANKS.json

From one start of a program to the next a step takes longer or shorter than these two differ. So
the same ranks train two models, a turn of steps each, and a ratio is that of two turns side by
side.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from claims import CLAIMS
from command_line import RESULTS, circumstances, one_of, positive, write_result
from harness import spread
from report import reductions_heading, reductions_table
from workers.distgrad_worker import training, versions

import distgrad as dg

REDUCTIONS = ("tree", "allreduce")
SECONDS = 0.25
"""About how long a turn lasts."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the order of a sum costs.")
    parser.add_argument("claims", nargs="+", type=one_of(CLAIMS), help="what to train")
    parser.add_argument("--rounds", type=positive, default=40, help="turns of each (40)")
    parser.add_argument("--output", type=Path, default=RESULTS / "reductions", help="folder")
    arguments = parser.parse_args()
    comm = dg.distributed.connect()
    for name in arguments.claims:
        turns = measure(name, comm, arguments.rounds)
        if comm.rank == 0:
            result = {**circumstances(), **summary(name, comm.size, turns)}
            result["versions"] = {"here": versions(comm.library)}
            print(f"{reductions_heading(result)}\n\n{reductions_table(result)}\n")
            write_result(result, arguments.output / f"{name}-{comm.size}.json")


def measure(name: str, comm: Any, rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of a step in each turn, its median, as this rank sees them.

    Every second round begins with the other reduction, so that neither has the better place.
    """
    claim = CLAIMS[name]
    workload = claim.workload(comm.size, time.monotonic(), "")
    sides = {reduction: training(workload, comm, reduction) for reduction in REDUCTIONS}
    warm = {reduction: run(steps, claim.warmup) for reduction, steps in sides.items()}
    slowest = max(comm.all_gather_object(max(warm.values())))
    count = max(1, round(1e3 * SECONDS / slowest))  # the same on all ranks, which meet in each step
    turns: dict[str, list[float]] = {reduction: [] for reduction in REDUCTIONS}
    for number in range(rounds):
        for reduction in REDUCTIONS if number % 2 else REDUCTIONS[::-1]:
            turns[reduction].append(run(sides[reduction], count))
    return turns


def run(steps: Iterator[float], count: int) -> float:
    """Return the milliseconds of a step: the median of so many."""
    times = []
    for _ in itertools.repeat(None, count):
        start = time.perf_counter()
        next(steps)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def summary(name: str, ranks: int, turns: Mapping[str, list[float]]) -> dict[str, Any]:
    """Return what is reported of the turns: the steps, and the ratios of two turns of a round."""
    pairs = zip(*(turns[reduction] for reduction in REDUCTIONS), strict=True)
    return {
        "name": name,
        "title": CLAIMS[name].title,
        "ranks": ranks,
        "rounds": len(turns["tree"]),
        "turns": dict(turns),
        "step_ms": {reduction: spread(times) for reduction, times in turns.items()},
        "ratio": spread([tree / other for tree, other in pairs]),
    }


if __name__ == "__main__":
    main()
