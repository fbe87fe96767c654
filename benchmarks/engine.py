"""What the engine itself costs: time per recorded operation, memory of a pass, time to import it.

python benchmarks/engine.py
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import chains
from command_line import RESULTS, circumstances, positive, write_result
from report import engine_heading, engine_table

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the engine itself costs.")
    parser.add_argument("--rounds", type=positive, default=15, help="runs of each side (15)")
    parser.add_argument("--output", type=Path, help="result file (one in results/engine/)")
    arguments = parser.parse_args()
    result = {
        **circumstances(),
        "rounds": arguments.rounds,
        "operation_us": operation_us(arguments.rounds),
        "import_s": import_s(arguments.rounds),
        "activation_bytes": activation_bytes(),
        "versions": {"here": _versions()},
    }
    print(f"{engine_heading(result)}\n\n{engine_table(result)}\n")
    write_result(result, arguments.output or RESULTS / "engine" / "engine.json")


def operation_us(rounds: int) -> dict[str, list[float]]:
    """Return microseconds per operation of each side in each round.

    That of a round is the best of some repetitions: what slows the others is the machine.
    """
    runs = {side: make() for side, make in chains.SIDES.items()}
    found: dict[str, list[float]] = {side: [] for side in runs}
    for _ in range(rounds):
        for side, run in runs.items():
            found[side].append(1e6 * _best(run) / chains.OPERATIONS)
    return found


def _best(run: Callable[[], Any], repetitions: int = 40) -> float:
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        for _ in range(5):
            run()
        times.append((time.perf_counter() - start) / 5)
    return min(times)


def import_s(rounds: int) -> dict[str, list[float]]:
    """Return seconds that a fresh process takes to import, in each round."""
    modules = ("numpy", "distgrad", "torch")
    found: dict[str, list[float]] = {module: [] for module in modules}
    for _ in range(rounds):
        for module in modules:
            start = time.perf_counter()
            _python("-c", f"import {module}")
            found[module].append(time.perf_counter() - start)
    return found


def activation_bytes() -> dict[str, int]:
    """Return the peak of each side, each in a process of its own."""
    program = "import json, sys, activations; print(json.dumps(activations.SIDES[sys.argv[1]]()))"
    return {
        side: json.loads(_python("-c", program, side).splitlines()[-1])
        for side in ("distgrad", "torch")
    }


def _python(*arguments: str) -> str:
    command: Sequence[str] = [sys.executable, *arguments]
    return subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True).stdout


def _versions() -> dict[str, Any]:
    import numpy
    import torch

    return {
        "python": sys.version.split()[0],
        "numpy": numpy.__version__,
        "torch": torch.__version__,
    }


if __name__ == "__main__":
    main()
