"""Measures distgrad side by side with its peers.

python benchmarks/run.py mlp --ranks 2 --rounds 5
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from command_line import (
    RESULTS,
    add_claim,
    chosen_claim,
    circumstances,
    positive,
    say,
    write_result,
)
from harness import compare
from report import heading, table
from sides import SIDES, Side


def main() -> None:
    arguments = _parser().parse_args()
    claim = chosen_claim(arguments)
    before = circumstances()
    sides = present(arguments.sides or claim.sides)
    found = compare(claim, arguments.ranks, arguments.rounds, sides, say)
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


def present(names: Sequence[str]) -> dict[str, Side]:
    """Return the sides that can run here, and say of the others what they lack.

    Raises:
        SystemExit: If none can.
    """
    for name in names:
        if SIDES[name].lacks:
            say(f"{name} is left out: {SIDES[name].lacks}")
    found = {name: SIDES[name] for name in names if not SIDES[name].lacks}
    if not found:
        raise SystemExit("nothing to measure: each side lacks something")
    return found


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


if __name__ == "__main__":
    main()
