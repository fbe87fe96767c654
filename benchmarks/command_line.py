"""What the programs here have in common: the claim on the command line, and where a result goes."""

import argparse
import datetime
import json
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from claims import CLAIMS, Claim
from machine import describe_machine

RESULTS = Path(__file__).resolve().parent / "results"


def add_claim(parser: argparse.ArgumentParser) -> None:
    """Add the arguments from which `chosen_claim` is made."""
    parser.add_argument("claim", choices=CLAIMS, help="what to measure")
    parser.add_argument("--steps", type=positive, help="measured steps in a process")
    parser.add_argument("--warmup", type=positive, help="steps before them")
    parser.add_argument("--output", type=Path, help="result file (one in results/)")


def chosen_claim(arguments: argparse.Namespace) -> Claim:
    """Return the claim with the steps that were asked for."""
    claim = CLAIMS[arguments.claim]
    return replace(
        claim,
        steps=arguments.steps or claim.steps,
        warmup=arguments.warmup or claim.warmup,
    )


def positive(text: str) -> int:
    """Return the number, from 1 on."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def one_of(names: Iterable[str]) -> Callable[[str], str]:
    """Return what reads an argument that must be one of some names."""
    known = list(names)

    def name(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"no {text!r}; there are: {', '.join(known)}")
        return text

    return name


def say(line: str) -> None:
    """Tell how far it is, apart from the results."""
    print(line, file=sys.stderr, flush=True)


def circumstances() -> dict[str, Any]:
    """Return when, how and on what a result is measured."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "command": shlex.join(["python", *sys.argv]),
        "machine": describe_machine(),
    }


def write_result(result: Mapping[str, Any], path: Path) -> None:
    """Write a result as JSON, and say where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)
