"""Results as tables for a reader; as a program it puts them into README.md and RESULTS.md.

python benchmarks/report.py            prints them
python benchmarks/report.py --write    replaces what stands between marks in both
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from claims import CLAIMS
from harness import ratios, spread, values
from sides import is_own, is_peer, is_torch

HERE = Path(__file__).resolve().parent

COLUMNS = ("ms per step", "p90 / median", "s to first step", "MB of a rank")
SUMMARY_COLUMNS = ("step / its", "p90 / median", "memory / PyTorch's", "first step / PyTorch's")

LEAST_SHARE = 0.005
"""Parts of a step below it are shown together."""

Result = Mapping[str, Any]


def table(result: Result) -> str:
    """Return one result as a Markdown table: medians (min to max), and ratios within rounds.

    The fastest peer is named in bold.
    """
    runs, best = result["runs"], best_peer(result)
    own = [side for side in result["summary"] if is_own(side)]
    rows = [["", *COLUMNS, *(f"steps of {side} / its" for side in own)]]
    for side, summary in result["summary"].items():
        row = [f"**{side}**" if side == best else side, cell(summary["step_ms"], ".4g")]
        row.append(cell(_tail(result, side), ".2f"))
        row += [cell(summary[metric], ".4g") for metric in ("first_step_s", "peak_memory_mb")]
        others = [_ratio(runs, ours, side) if side != ours else "" for ours in own]
        rows.append(row + others)
    return markdown(rows)


def summary_table(results: Sequence[Result]) -> str:
    """Return a row for each claim, number of ranks and kind of distgrad: how it stands."""
    rows = [["", "ranks", "side", "ms per step", "best peer", *SUMMARY_COLUMNS]]
    for result in results:
        for side in (name for name in result["summary"] if is_own(name)):
            rows.append(_standing(result, side))
    return markdown(rows)


def _standing(result: Result, side: str) -> list[str]:
    runs, best = result["runs"], best_peer(result)
    torch = [name for name in result["summary"] if is_torch(name)]
    row = [result["name"], str(result["ranks"]), side, f"{_step_ms(result, side):.4g}"]
    row += [f"{best}, {_step_ms(result, best):.4g}", _ratio(runs, side, best)] if best else [""] * 2
    row.append(f"{_tail(result, side)['median']:.2f}")
    for metric in ("peak_memory_mb", "first_step_s"):
        medians = {name: result["summary"][name][metric]["median"] for name in torch}
        least = min(medians, key=medians.__getitem__, default=None)
        row.append(_ratio(runs, side, least, metric) if least else "")
    return row


def best_peer(result: Result) -> str | None:
    """Return the peer whose steps are the shortest."""
    peers = [side for side in result["summary"] if is_peer(side)]
    return min(peers, key=lambda peer: _step_ms(result, peer), default=None)


def _ratio(runs: Sequence[Any], side: str, peer: str, metric: str = "step_ms") -> str:
    return cell(ratios(runs, side, peer)[metric], ".2f")


def _tail(result: Result, side: str) -> dict[str, float]:
    """Return the spread of the 90th percentile over the median, taken within each process."""
    measured = values(result["runs"], side)
    pairs = zip(measured["step_p90_ms"], measured["step_ms"], strict=True)
    return spread([tail / median for tail, median in pairs])


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
    return markdown(rows)


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
            of_own, of_peer, more, ratio = [cell(spread(numbers), ".3g") for numbers in cells]
            rows.append([name, of_own, peer, of_peer, more, ratio])
    return markdown(rows)


def engine_heading(result: Result) -> str:
    """Return what was measured, where, and how."""
    return (
        "### The engine itself\n\n"
        "An operation, forward and backward, in a chain of cheap ones on 8x16 arrays; the import "
        "in a fresh process; a pass over the model of `gpt`, one micro-batch, gradients of the "
        f"parameters not counted. {result['rounds']} rounds. {_circumstances(result)}."
    )


def reductions_table(result: Result) -> str:
    """Return steps of the reductions and their ratios as a Markdown table: medians (quartiles)."""
    rows = [["", "ms per step", "tree / this"]]
    for side, steps in result["step_ms"].items():
        ratio = result["ratios"].get(side)
        rows.append([side, _quartiles(steps, ".4g"), _quartiles(ratio, ".3f") if ratio else ""])
    return markdown(rows)


def _quartiles(found: Mapping[str, float], digits: str) -> str:
    return f"{found['median']:{digits}} ({found['q1']:{digits}} to {found['q3']:{digits}})"


def reductions_heading(result: Result) -> str:
    """Return title and circumstances of a comparison of reductions."""
    ranks = result["ranks"]
    return (
        f"### {result['title']}, {ranks} rank{'s' * (ranks > 1)}\n\n"
        f"{result['rounds']} turns of each. {_circumstances(result)}."
    )


def growth_table(result: Result) -> str:
    """Return how far each curve is from a straight line as a Markdown table."""
    rows = [
        ["step time against", "from", "to", "ms per step", "of it fixed", "farthest from the line"]
    ]
    for curve in result["curves"].values():
        first, last = curve["points"][0], curve["points"][-1]
        times = [min(point["ms"]) for point in (first, last)]
        rows.append(
            [
                curve["title"],
                f"{first['x']:,}",
                f"{last['x']:,}",
                " to ".join(f"{ms:.3g}" for ms in times),
                f"{curve['fixed_ms']:.2g} ms",
                f"{max(map(abs, curve['deviations'])):.1%}",
            ]
        )
    return markdown(rows)


def growth_heading(result: Result) -> str:
    """Return what was measured, where, and how."""
    return (
        "### Growth\n\n"
        "One process, AdamW; of each point the fastest step of "
        f"{result['rounds']} rounds, in time of the processor. The line is a fixed part and one in "
        f"proportion, fitted to the deviations in percent. {_circumstances(result)}."
    )


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
    """Name every library once, and whose it is where the sides differ."""
    users: dict[str, dict[str, list[str]]] = {}
    for side, of_side in versions.items():
        for name, value in of_side.items():
            text = " + ".join(value) if isinstance(value, list) else value.partition(",")[0]
            users.setdefault(name, {}).setdefault(text, []).append(side)
    return ", ".join(
        f"{name} {text}" + (f" ({', '.join(sides)})" if len(of_name) > 1 else "")
        for name, of_name in users.items()
        for text, sides in of_name.items()
    )


def _step_ms(result: Result, side: str) -> float:
    median: float = result["summary"][side]["step_ms"]["median"]
    return median


def _part(name: str, ms: float, step: float, calls: str = "") -> list[str]:
    return [name, f"{ms:.2f}", f"{ms / step:.1%}", calls]


def cell(found: Mapping[str, float], digits: str) -> str:
    """Return a spread as text: the median, and the extremes."""
    return f"{found['median']:{digits}} ({found['min']:{digits}} to {found['max']:{digits}})"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return a table, its first row as the heading."""
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


def pages(results: Path) -> dict[Path, dict[str, str]]:
    """Return what is shown of a folder of results: the text between each pair of marks, by page."""

    def shown(kind: str, *parts: Callable[[Result], str]) -> str:
        return all_results(results / kind, *parts)

    return {
        HERE / "README.md": {
            "summary": summary_table(in_order(results)),
            "growth": shown("growth", growth_heading, growth_table),
            "engine": shown("engine", engine_heading, engine_table),
        },
        HERE / "RESULTS.md": {
            "results": "\n\n".join(f"{heading(r)}\n\n{table(r)}" for r in in_order(results)),
            "reductions": shown("reductions", reductions_heading, reductions_table),
            "profiles": shown("profiles", profile_heading, profile_table),
        },
    }


def in_order(folder: Path) -> list[Result]:
    """Return the comparisons in a folder in the order of the claims, one rank first."""
    results = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    names = list(CLAIMS)
    return sorted(results, key=lambda result: (names.index(result["name"]), result["ranks"]))


def filled_in(page: str, name: str, text: str) -> str:
    """Return the page with new text between ``<!-- name -->`` and ``<!-- end of name -->``."""
    before, rest = page.split(f"<!-- {name} -->")
    after = rest.split(f"<!-- end of {name} -->")[1]
    return f"{before}<!-- {name} -->\n\n{text}\n\n<!-- end of {name} -->{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Tables of what is in benchmarks/results/.")
    parser.add_argument(
        "--write", action="store_true", help="put them into README.md and RESULTS.md"
    )
    written = parser.parse_args().write
    for page, tables in pages(HERE / "results").items():
        if not written:
            print("\n\n".join(tables.values()))
            continue
        text = page.read_text()
        for name, of_name in tables.items():
            text = filled_in(text, name, of_name)
        page.write_text(text)


if __name__ == "__main__":
    main()
