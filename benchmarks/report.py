"""Results as tables for a reader; as a program it puts those of ``results/`` into the README.

python benchmarks/report.py            prints them
python benchmarks/report.py --write    replaces the part of benchmarks/README.md between its marks
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import METRICS

HERE = Path(__file__).resolve().parent
MARKS = "<!-- results -->", "<!-- end of results -->"


def table(result: Mapping[str, Any]) -> str:
    """Return one result as a Markdown table: medians (min to max), and ratios within rounds."""
    rows = [["", *METRICS.values()]]
    for side, summary in result["summary"].items():
        rows.append([side, *(_cell(summary[metric], ".4g") for metric in METRICS)])
    first = next(iter(result["summary"]))
    for peer, ratios in result["ratios"].items():
        rows.append(
            [f"**{first} / {peer}**", *(_cell(ratios[metric], ".2f") for metric in METRICS)]
        )
    return _markdown(rows)


def heading(result: Mapping[str, Any]) -> str:
    """Return what was measured, where, and how."""
    claim, machine = result["claim"], result["machine"]
    ranks = result["ranks"]
    return (
        f"### {claim['title']}, {ranks} rank{'s' * (ranks > 1)}\n\n"
        f"{claim['micro_batches']} micro-batches of {claim['micro_batch']} a rank and step, AdamW, "
        f"{claim['steps']} steps in a process, {result['rounds']} rounds; "
        f"losses agree to {result['loss_deviation']:.0e}. "
        f"{machine['cpu']}, {machine['cores']} cores, {machine['simd']}, {machine['libc']}, "
        f"load before {machine['load_before']}, commit {machine['commit']}, {result['date']}; "
        f"{_versions(result['versions'])}."
    )


def _versions(versions: Mapping[str, Mapping[str, Any]]) -> str:
    """Name every library once, and the BLAS of each side: its kernels make half the result."""
    flat: dict[str, str] = {}
    for side, of_side in versions.items():
        for name, value in of_side.items():
            if name == "blas":
                flat[f"{side}'s BLAS:"] = " + ".join(value)
            else:
                flat[name] = str(value).partition(",")[0]
    return ", ".join(f"{name} {value}" for name, value in flat.items())


def _cell(spread: Mapping[str, float], digits: str) -> str:
    return f"{spread['median']:{digits}} ({spread['min']:{digits}} to {spread['max']:{digits}})"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def all_results() -> str:
    """Return the tables of all files in ``results/``."""
    files = sorted((HERE / "results").glob("*.json"))
    results = [json.loads(file.read_text()) for file in files]
    return "\n\n".join(f"{heading(result)}\n\n{table(result)}" for result in results)


def main() -> None:
    parser = argparse.ArgumentParser(description="Tables of benchmarks/results/*.json.")
    parser.add_argument("--write", action="store_true", help="put them into benchmarks/README.md")
    tables = all_results()
    if not parser.parse_args().write:
        print(tables)
        return
    readme = HERE / "README.md"
    before, rest = readme.read_text().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    readme.write_text(f"{before}{MARKS[0]}\n\n{tables}\n\n{MARKS[1]}{after}")


if __name__ == "__main__":
    main()
