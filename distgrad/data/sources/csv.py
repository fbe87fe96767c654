"""Tables of numbers in CSV files."""

import csv as standard
import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distgrad.data.dataset import TensorDataset
from distgrad.data.sources.files import existing_file, readable
from distgrad.data.sources.split import Split, split_at_random
from distgrad.errors import UsageError

__all__ = ["csv"]


def csv(
    path: str,
    task: Literal["classification", "regression"],
    target: str | int = -1,
    *,
    header: bool = True,
    delimiter: str = ",",
    test_fraction: float = 0.2,
    split_seed: int = 0,
) -> Split:
    """Return samples from a table of numbers, a row a sample (CSV, as in RFC 4180, in UTF-8).

    ``x`` is float32 of shape (n, columns - 1), all columns but the target in their order. ``y`` is
    the target: for classification int64 of shape (n,), for regression float32 of shape (n, 1).
    Empty lines are left out.

    Args:
        path: The file.
        task: "classification", if the target numbers the classes from 0, or "regression".
        target: Name or index of the target's column; -1 is the last.
        header: Whether the first line names the columns.
        delimiter: The character between two cells.
        test_fraction: Share of the samples that is held out, rounded to a whole number.
        split_seed: Names the permutation by which they are chosen.

    Raises:
        UsageError: If the file is missing, empty or not UTF-8, if rows differ in length, if a cell
            is no finite number or too long, if there is no such target, or if it numbers no
            classes.
        ValueError: If ``task`` is neither, if ``delimiter`` is not one character, or if
            ``test_fraction`` leaves either part without a sample.
    """
    if task not in ("classification", "regression"):
        raise ValueError(f"task must be classification or regression, got {task!r}")
    if len(delimiter) != 1 or delimiter in '"\r\n ':
        raise ValueError(f"delimiter must be one character, as ',' or ';'; got {delimiter!r}")
    file = existing_file(path)
    with readable(file):
        rows = _rows(file, delimiter)
        names = next(rows, (0, []))[1] if header else None
        values, lines = _table(file, rows, names)
    column = _column(file, target, values.shape[1], names)
    x = np.delete(values, column, axis=1).astype(np.float32)
    goal = values[:, column]
    if task == "classification":
        samples = TensorDataset(x=x, y=_classes(file, goal, lines))
    else:
        samples = TensorDataset(x=x, y=goal.astype(np.float32)[:, np.newaxis])
    return split_at_random(samples, test_fraction, split_seed)


def _rows(file: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the number of its last line."""
    with file.open("rb") as lines:
        reader = standard.reader(_decoded(file, lines), delimiter=delimiter, strict=True)
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except standard.Error as error:
            raise UsageError(
                f"{file}, line {reader.line_num}: is not CSV ({error}); correct the line"
            ) from error


def _decoded(file: Path, lines: Iterator[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(
                f"{file}, line {number}: byte {error.start} of the line is not UTF-8 "
                f"({error.reason}); convert the file, as by `iconv -t UTF-8`"
            ) from error


def _table(
    file: Path, rows: Iterator[tuple[int, list[str]]], names: list[str] | None
) -> tuple[NDArray[np.float64], list[int]]:
    """Return the cells of shape (rows, columns), and the line of each row."""
    cells, lines = array("d"), list[int]()
    width = len(names) if names else 0
    for line, row in rows:
        width = width or len(row)
        _check_width(file, line, len(row), width, "the header" if names else "the first row")
        cells.extend(_numbers(file, line, row, names))
        lines.append(line)
    if not lines:
        raise UsageError(
            f"{file}: has no row of numbers{' below its header' if names else ''}; a table needs "
            "at least 2, one to train on and one to test on"
        )
    return np.frombuffer(cells, np.float64).reshape(-1, width), lines


def _check_width(file: Path, line: int, cells: int, width: int, first: str) -> None:
    if cells != width:
        raise UsageError(
            f"{file}, line {line}: has {cells} cells, but {first} has {width}; give every row as "
            "many"
        )
    if width < 2:
        raise UsageError(
            f"{file}: has 1 column, but needs a target and at least 1 more; if there are more, "
            "give the delimiter between them"
        )


def _numbers(file: Path, line: int, row: list[str], names: list[str] | None) -> list[float]:
    numbers = [_number(cell) for cell in row]
    for place, number in enumerate(numbers):
        if not math.isfinite(number):
            column = f"{place} ({names[place]})" if names else str(place)
            cell = row[place] if len(row[place]) <= 40 else f"{row[place][:40]}..."
            raise UsageError(
                f"{file}, line {line}, column {column}: {cell!r} is not a finite number; correct "
                "it, encode text as numbers, or leave the row out"
            )
    return numbers


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _column(file: Path, target: str | int, width: int, names: list[str] | None) -> int:
    if isinstance(target, int):
        if not -width <= target < width:
            raise UsageError(
                f"{file}: there is no column {target} for the target; the {width} columns are "
                f"numbered from 0 to {width - 1}, or from {-width} to -1"
            )
        return target % width
    if names is None:
        raise UsageError(
            f"{file}: target {target!r} is a name, but header = false says that the columns have "
            "none; give its index"
        )
    count = names.count(target)
    if count != 1:
        raise UsageError(
            f"{file}: {count} columns are named {target!r}; the columns are {', '.join(names)}; "
            "name one of them, or give its index"
        )
    return names.index(target)


def _classes(file: Path, goal: NDArray[np.float64], lines: list[int]) -> NDArray[np.int64]:
    bad = np.flatnonzero((goal < 0) | (goal != np.floor(goal)) | (goal >= 2**53))
    if bad.size:
        raise UsageError(
            f"{file}, line {lines[bad[0]]}: the target {goal[bad[0]]:g} is not the number of a "
            'class (0, 1, 2 ...); number the classes, or set task = "regression"'
        )
    return goal.astype(np.int64)
