"""Measures distgrad side by side with its peers.

python benchmarks/run.py mlp --ranks 2 --rounds 5
"""

import argparse
import sys
from dataclasses import asdict

from command_line import RESULTS, add_claim, chosen_claim, circumstances, positive, write_result
from harness import compare
from report import heading, table
from sides import SIDES


def main() -> None:
    arguments = _parser().parse_args()
    claim = chosen_claim(arguments)
    before = circumstances()
    sides = arguments.sides or claim.sides
    found = compare(claim, arguments.ranks, arguments.rounds, sides, _say)
    result = {
        "name": arguments.claim,
        "claim": asdict(claim),
        "ranks": arguments.ranks,
        "rounds": arguments.rounds,
        **before,
        "versions": {run["side"]: run.pop("versions") for run in found["runs"]},
        **found,
    }
    print(f"{heading(result)}\n\n{table(result)}\n")
    write_result(result, arguments.output or RESULTS / f"{arguments.claim}-{arguments.ranks}.json")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure distgrad side by side with its peers.")
    add_claim(parser)
    parser.add_argument("--ranks", type=positive, default=2, help="processes (2)")
    parser.add_argument("--rounds", type=positive, default=5, help="runs of each side (5)")
    parser.add_argument(
        "--sides",
        nargs="+",
        choices=SIDES,
        metavar="SIDE",
        help="the first is compared with the others (those that the claim names); "
        f"there are: {', '.join(SIDES)}",
    )
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
