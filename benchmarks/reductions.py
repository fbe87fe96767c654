"""What the order of a sum and its way cost: steps of several in turn, in the same processes.

mpirun -n 2 python benchmarks/reductions.py digits mlp wide     results/reductions/CLAIM-RANKS.json

From one start of a program to the next a step takes longer or shorter than these differ. So the
same ranks train several models, a turn of steps each, and a ratio is that of two turns of a round.
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

SIDES = {
    "tree": {"reduction": "tree"},
    "tree by MPI": {"reduction": "tree", "transport": "mpi"},
    "allreduce": {"reduction": "allreduce"},
}
"""What `DataParallel` is given; the ratios are those of the first side to the others."""

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

    Every second round goes the other way, so that none has the better place.
    """
    claim = CLAIMS[name]
    workload = claim.workload(comm.size, time.monotonic(), "")
    sides = {side: training(workload, comm, **options) for side, options in SIDES.items()}
    warm = [run(steps, claim.warmup) for steps in sides.values()]
    slowest = max(comm.all_gather_object(max(warm)))
    count = max(1, round(1e3 * SECONDS / slowest))  # the same on all ranks, which meet in each step
    turns: dict[str, list[float]] = {side: [] for side in SIDES}
    for number in range(rounds):
        for side in SIDES if number % 2 else reversed(SIDES):
            turns[side].append(run(sides[side], count))
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
    first, *others = SIDES

    def ratio(other: str) -> dict[str, float]:
        pairs = zip(turns[first], turns[other], strict=True)
        return spread([own / others for own, others in pairs])

    return {
        "name": name,
        "title": CLAIMS[name].title,
        "ranks": ranks,
        "rounds": len(turns["tree"]),
        "turns": dict(turns),
        "step_ms": {side: spread(times) for side, times in turns.items()},
        "ratios": {other: ratio(other) for other in others},
    }


if __name__ == "__main__":
    main()
