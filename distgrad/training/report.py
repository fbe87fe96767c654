"""What a run prints while it trains: a progress bar in a terminal, a few lines anywhere else."""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from distgrad.distributed import launched_size
from distgrad.training.metrics import Value
from distgrad.training.step_report import StepReport
from distgrad.training.summary import Summary

__all__ = [
    "print_done",
    "print_metrics",
    "print_result",
    "print_sample",
    "print_warning",
    "with_progress",
]

_MOST_LINES = 20


def with_progress(
    reports: Iterable[StepReport], last_step: int | None, out: TextIO
) -> Iterator[StepReport]:
    """Pass the reports of a run's steps on and show them.

    Args:
        reports: One a step.
        last_step: The step at which the run ends at the latest, or None.
        out: Where to print.
    """
    # Under mpirun a terminal may be one that Open MPI made for the rank, and its other end a file.
    show = _with_bar if out.isatty() and launched_size() is None else _with_lines
    return show(reports, last_step, out)


def _with_lines(
    reports: Iterable[StepReport], last_step: int | None, out: TextIO
) -> Iterator[StepReport]:
    for report in reports:
        if _is_shown(report, last_step):
            of = f"/{last_step}" if last_step else ""
            print(f"step {report.step}{of}  {_described(report)}", file=out, flush=True)
        yield report


def _is_shown(report: StepReport, last_step: int | None) -> bool:
    """Choose at most 20 lines, evenly spread; without an end in sight, the powers of 2."""
    if last_step is None:
        return report.step & (report.step - 1) == 0
    return report.step % math.ceil(last_step / _MOST_LINES) == 0


def _with_bar(
    reports: Iterable[StepReport], last_step: int | None, out: TextIO
) -> Iterator[StepReport]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = ("step", MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())
    described = TextColumn("{task.description}")
    with Progress(*columns, described, console=Console(file=out)) as progress:
        task = progress.add_task("", total=last_step)
        for report in reports:
            progress.update(task, completed=report.step, description=_described(report))
            yield report


def _described(report: StepReport) -> str:
    done = f"loss {report.loss:.4g}" if report.loss is not None else f"skipped: {report.skipped}"
    text = f"epoch {report.epoch}  {done}  lr {report.lr:.3g}"
    numbers, _ = _parted(report.test or {})
    tested = [f"test {name} {value:.4g}" for name, value in numbers.items()]
    return "  ".join([text, *tested])


def print_sample(text: str, out: TextIO) -> None:
    """Print what the model has written, each line behind a bar: it is not the run that speaks."""
    lines = "".join(f"\n  | {line}" for line in text.splitlines())
    print(f"the model writes:{lines}", file=out)


def print_warning(line: str, out: TextIO) -> None:
    """Print what is not as it should be, though the run goes on."""
    print(f"warning: {line}", file=out, flush=True)


def print_result(summary: Summary, folder: Path, out: TextIO) -> None:
    """Print what came out: the test metrics, the hash of the weights and the folder of the run."""
    print(
        f"{summary.steps} steps in {summary.wall_seconds:.1f} s, "
        f"{summary.samples_per_second:.0f} samples/s; on the test samples:",
        file=out,
    )
    print_metrics(summary.metrics, summary.weights_sha256, folder, out)


def print_done(summary: Summary, folder: Path, out: TextIO) -> None:
    """Print the result of a run that is done, and that nothing was."""
    print(
        f"the run is done after {summary.steps} steps, and nothing is left to do; to go on, raise "
        "what ends it, such as training.max_epochs",
        file=out,
    )
    print_metrics(summary.metrics, summary.weights_sha256, folder, out)


def print_metrics(metrics: Mapping[str, Value], weights: str, folder: Path, out: TextIO) -> None:
    """Print the test metrics of a run, the hash of its weights and its folder."""
    numbers, tables = _parted(metrics)
    print(
        "  ".join(f"{name} {value:.6g}" for name, value in numbers.items()),
        *chain.from_iterable(_lines(name, table) for name, table in tables.items()),
        f"weights_sha256 {weights}",
        f"run folder {folder}",
        sep="\n",
        file=out,
        flush=True,
    )


def _parted(metrics: Mapping[str, Value]) -> tuple[dict[str, float], dict[str, list[Any]]]:
    """Return what is a number, and what is a table."""
    numbers = {name: value for name, value in metrics.items() if not isinstance(value, list)}
    tables = {name: value for name, value in metrics.items() if isinstance(value, list)}
    return numbers, tables


def _lines(name: str, table: list[Any]) -> Iterator[str]:
    """Yield a table as lines, its columns one below the other."""
    rows = [row if isinstance(row, list) else [row] for row in table]
    cells = [[f"{cell:.6g}" for cell in row] for row in rows]
    width = max((len(cell) for row in cells for cell in row), default=0)
    yield name
    for row in cells:
        yield "  ".join(["", *(cell.rjust(width) for cell in row)])
