"""Prints results: for people, in colours where they can be seen, or as JSON."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TextIO

from distgrad.launcher.preflight.result import Level, Result, exit_status

_COLOURS = {Level.GREEN: "\033[32m", Level.YELLOW: "\033[33m", Level.RED: "\033[31m"}
_PLAIN = "\033[0m"


def print_result(result: Result, out: TextIO) -> None:
    """Prints one result, and in a line of its own the command that mends it.

    Example:
        >>> import sys
        >>> from distgrad.launcher.preflight.result import yellow
        >>> print_result(yellow("disk", "0.4 GB free", "rm -r runs/old"), sys.stdout)
        yellow  disk            0.4 GB free
                                mend it: rm -r runs/old
    """
    level = f"{result.level:6}"
    if out.isatty() and "NO_COLOR" not in os.environ:
        level = f"{_COLOURS[result.level]}{level}{_PLAIN}"
    place = f"{result.host}: " if result.host else ""
    print(f"{level}  {result.check:<14}  {place}{result.text}", file=out, flush=True)
    if result.remedy:
        print(f"{'':24}mend it: {result.remedy}", file=out, flush=True)


def print_verdict(results: Sequence[Result], out: TextIO) -> None:
    """Prints how many results there are of each level."""
    counts = [(sum(result.level == level for result in results), level) for level in Level]
    print(", ".join(f"{count} {level}" for count, level in counts), file=out)


def print_json(results: Sequence[Result], out: TextIO) -> None:
    """Prints one JSON object: the exit status, and all results in order."""
    document = {"status": exit_status(results), "results": [asdict(result) for result in results]}
    json.dump(document, out, indent=2)
    print(file=out)
