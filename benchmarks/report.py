"""Results as tables for a reader; as a program it puts those of ``results/`` into the README.

python benchmarks/report.py            prints them
python benchmarks/report.py --write    replaces the parts of benchmarks/README.md between marks
"""

import argparse
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import METRICS

HERE = Path(__file__).resolve().parent

LEAST_SHARE = 0.005
"""Parts of a step below it are shown together."""

Result = Mapping[str, Any]


def table(result: Result) -> str:
    """Return one result as a Markdown table: medians (min to max), and ratios within rounds.

    The fastest peer is named in bold.
    """
    rows = [["", *METRICS.values()]]
    for side, summary in result["summary"].items():
        rows.append([side, *(_cell(summary[metric], ".4g") for metric in METRICS)])
    first = next(iter(result["summary"]))
    fastest = min(result["ratios"], key=lambda peer: _step_ms(result, peer), default=None)
    for peer, ratios in result["ratios"].items():
        name = f"**{first} / {peer}**" if peer == fastest else f"{first} / {peer}"
        rows.append([name, *(_cell(ratios[metric], ".2f") for metric in METRICS)])
    return _markdown(rows)


def heading(result: Result) -> str:
    """Return what was measured, where, and how."""
    ranks = result["ranks"]
    return (
        f"### {result['claim']['title']}, {ranks} rank{'s' * (ranks > 1)}\n\n"
        f"{_step(result)}, {result['claim']['steps']} steps in a process, {result['rounds']} "
        f"rounds; losses agree to {result['loss_deviation']:.0e}. {_circumstances(result)}."
    )


def profile_table(result: Result) -> str:
    """Return where a step goes as a Markdown table, the longest part first."""
    step = result["timed_step_ms"]
    shown = [part for part in result["parts"] if part["ms"] >= LEAST_SHARE * step]
    small = sum(part["ms"] for part in result["parts"]) - sum(part["ms"] for part in shown)
    between = step - small - sum(part["ms"] for part in shown)
    rows = [["", "ms per step", "share", "calls per step"]]
    rows += [_part(part["name"], part["ms"], step, f"{part['calls']:.4g}") for part in shown]
    rows.append(_part("smaller parts together", small, step))
    rows.append(_part("between them: recording, modules, Python", between, step))
    return _markdown(rows)


def profile_heading(result: Result) -> str:
    """Return whose step it is, and what the timers cost."""
    return (
        f"### {result['claim']['title']}\n\n"
        f"{_step(result)}: {result['step_ms']:.4g} ms, the mean of the faster half of "
        f"{result['claim']['steps']} steps, and {result['timed_step_ms']:.4g} with the timers. "
        f"{_circumstances(result)}."
    )


def engine_table(result: Result) -> str:
    """Return what the engine costs as a Markdown table: medians of the rounds (min to max)."""
    times, imports = result["operation_us"], result["import_s"]
    memory = {side: [n / 2**20] for side, n in result["activation_bytes"].items()}
    rows = [["", "distgrad", "beside", "", "difference", "ratio"]]
    for name, sides, peers in (
        ("microseconds per operation", times, ("numpy", "torch")),
        ("seconds to import", imports, ("numpy", "torch")),
        ("MB at the peak of a pass", memory, ("torch",)),
    ):
        own = sides["distgrad"]
        for peer in peers:
            pairs = list(zip(own, sides[peer], strict=True))
            cells = [own, sides[peer], [a - b for a, b in pairs], [a / b for a, b in pairs]]
            of_own, of_peer, more, ratio = [_cell(_spread(values), ".3g") for values in cells]
            rows.append([name, of_own, peer, of_peer, more, ratio])
    return _markdown(rows)


def engine_heading(result: Result) -> str:
    """Return what was measured, where, and how."""
    return (
        "### The engine itself\n\n"
        "An operation, forward and backward, in a chain of cheap ones on 8x16 arrays; the import "
        "in a fresh process; a pass over the model of `gpt`, one micro-batch, gradients of the "
        f"parameters not counted. {result['rounds']} rounds. {_circumstances(result)}."
    )


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _step(result: Result) -> str:
    claim = result["claim"]
    return (
        f"{claim['micro_batches']} micro-batches of {claim['micro_batch']} a rank and step, AdamW"
    )


def _circumstances(result: Result) -> str:
    machine = result["machine"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['simd']}, {machine['libc']}, "
        f"load before {machine['load_before']}, commit {machine['commit']}, {result['date']}; "
        f"{_versions(result['versions'])}"
    )


def _versions(versions: Mapping[str, Mapping[str, Any]]) -> str:
    """Name every library once, and whose BLAS it is: its kernels make half the result."""
    libraries: dict[str, str] = {}
    users: dict[str, list[str]] = {}
    for side, of_side in versions.items():
        for name, value in of_side.items():
            if name == "blas":
                users.setdefault(" + ".join(value), []).append(side)
            else:
                libraries[name] = str(value).partition(",")[0]
    named = [f"{name} {version}" for name, version in libraries.items()]
    return ", ".join(named + [f"BLAS of {' and '.join(by)}: {blas}" for blas, by in users.items()])


def _step_ms(result: Result, side: str) -> float:
    median: float = result["summary"][side]["step_ms"]["median"]
    return median


def _part(name: str, ms: float, step: float, calls: str = "") -> list[str]:
    return [name, f"{ms:.2f}", f"{ms / step:.1%}", calls]


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


def all_results(folder: Path, *parts: Callable[[Result], str]) -> str:
    """Return the given parts of all results in a folder."""
    results = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    return "\n\n".join(part(result) for result in results for part in parts)


def filled_in(page: str, name: str, text: str) -> str:
    """Return the page with new text between ``<!-- name -->`` and ``<!-- end of name -->``."""
    before, rest = page.split(f"<!-- {name} -->")
    after = rest.split(f"<!-- end of {name} -->")[1]
    return f"{before}<!-- {name} -->\n\n{text}\n\n<!-- end of {name} -->{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Tables of what is in benchmarks/results/.")
    parser.add_argument("--write", action="store_true", help="put them into benchmarks/README.md")
    tables = {
        "results": all_results(HERE / "results", heading, table),
        "reductions": all_results(HERE / "results" / "reductions", heading, table),
        "engine": all_results(HERE / "results" / "engine", engine_heading, engine_table),
        "profiles": all_results(HERE / "results" / "profiles", profile_heading, profile_table),
    }
    if not parser.parse_args().write:
        print("\n\n".join(tables.values()))
        return
    readme = HERE / "README.md"
    page = readme.read_text()
    for name, text in tables.items():
        page = filled_in(page, name, text)
    readme.write_text(page)


if __name__ == "__main__":
    main()
