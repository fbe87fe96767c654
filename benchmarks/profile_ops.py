"""Shows where a step of distgrad goes, in one process: by op and gradient rule, and what else.

python benchmarks/profile_ops.py gpt
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from operator import itemgetter
from platform import python_version
from typing import Any

from command_line import RESULTS, add_claim, chosen_claim, circumstances, write_result
from instruments import instrument
from report import profile_heading, profile_table
from timers import Timers
from workers.distgrad_worker import training, versions

import distgrad as dg


def main() -> None:
    parser = argparse.ArgumentParser(description="Show where a step of distgrad goes.")
    add_claim(parser)
    arguments = parser.parse_args()
    claim = chosen_claim(arguments)
    before = circumstances()
    comm = dg.distributed.connect()
    result = {
        "name": arguments.claim,
        "claim": asdict(claim),
        **before,
        "versions": {"distgrad": {"python": python_version(), **versions(comm.library)}},
        **profile(training(claim.workload(1, 0.0, ""), comm), claim.warmup, claim.steps),
    }
    print(f"{profile_heading(result)}\n\n{profile_table(result)}\n")
    write_result(result, arguments.output or RESULTS / "profiles" / f"{arguments.claim}.json")


def profile(training: Iterator[float], warmup: int, steps: int) -> dict[str, Any]:
    """Time steps as they are and, in turn with them, steps with timers inside.

    Of both the faster half is averaged: what slows the others is mostly the rest of the machine.

    Returns:
        "step_ms" without timers, "timed_step_ms" with them, and "parts" of the latter, the longest
        first, each with its "name", and "ms" and "calls" per step.
    """
    timers = Timers()
    timers.running = False
    instrument(timers)
    for _ in range(warmup):
        next(training)
    plain: list[float] = []
    timed: list[tuple[float, Mapping[str, float], Mapping[str, int]]] = []
    for _ in range(steps):
        plain.append(_milliseconds(training))
        timers.running = True
        timed.append((_milliseconds(training), *timers.taken()))
        timers.running = False
    taken, seconds, calls = zip(*_faster_half(timed, key=itemgetter(0)), strict=True)
    return {
        "step_ms": statistics.mean(_faster_half(plain)),
        "timed_step_ms": statistics.mean(taken),
        "parts": _parts(seconds, calls),
    }


def _parts(
    seconds: Sequence[Mapping[str, float]], calls: Sequence[Mapping[str, int]]
) -> list[dict[str, Any]]:
    """Return the means over steps, the longest part first."""
    parts = [
        {
            "name": name,
            "ms": 1e3 * statistics.mean(of_step.get(name, 0.0) for of_step in seconds),
            "calls": statistics.mean(of_step.get(name, 0) for of_step in calls),
        }
        for name in sorted({name for of_step in seconds for name in of_step})
    ]
    return sorted(parts, key=itemgetter("ms"), reverse=True)


def _faster_half(steps: Sequence[Any], key: Callable[[Any], float] | None = None) -> list[Any]:
    return sorted(steps, key=key)[: (len(steps) + 1) // 2]


def _milliseconds(training: Iterator[float]) -> float:
    """Return how long the next step takes."""
    start = time.perf_counter()
    next(training)
    return 1e3 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
