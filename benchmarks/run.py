"""Measures distgrad side by side with its peers.

python benchmarks/run.py mlp --ranks 2 --rounds 5
"""

import argparse
import datetime
import json
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from claims import CLAIMS, Claim
from harness import compare
from machine import describe_machine
from report import heading, table
from sides import SIDES

HERE = Path(__file__).resolve().parent
DEFAULT_SIDES = ("distgrad", "torch", "torch-tuned-malloc")


def main() -> None:
    arguments = _parser().parse_args()
    claim = _claim(arguments)
    machine = describe_machine()
    found = compare(claim, arguments.ranks, arguments.rounds, arguments.sides, _say)
    result = {
        "name": arguments.claim,
        "claim": asdict(claim),
        "ranks": arguments.ranks,
        "rounds": arguments.rounds,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "command": shlex.join(["python", *sys.argv]),
        "machine": machine,
        "versions": {run["side"]: run.pop("versions") for run in found["runs"]},
        **found,
    }
    output = arguments.output or HERE / "results" / f"{arguments.claim}-{arguments.ranks}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{heading(result)}\n\n{table(result)}\n\n{output}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure distgrad side by side with its peers.")
    parser.add_argument("claim", choices=CLAIMS, help="what to measure")
    parser.add_argument("--ranks", type=_positive, default=2, help="processes (2)")
    parser.add_argument("--rounds", type=_positive, default=5, help="runs of each side (5)")
    parser.add_argument("--steps", type=_positive, help="measured steps in a process")
    parser.add_argument("--warmup", type=_positive, help="steps before them")
    parser.add_argument(
        "--sides",
        nargs="+",
        choices=SIDES,
        default=DEFAULT_SIDES,
        metavar="SIDE",
        help=f"the first is compared with the others ({' '.join(DEFAULT_SIDES)}); "
        f"there are: {', '.join(SIDES)}",
    )
    parser.add_argument("--output", type=Path, help="result file (results/CLAIM-RANKS.json)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def _claim(arguments: Any) -> Claim:
    claim = CLAIMS[arguments.claim]
    return replace(
        claim,
        steps=arguments.steps or claim.steps,
        warmup=arguments.warmup or claim.warmup,
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
