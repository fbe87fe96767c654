"""Ops are written over any array library: none of them calls one of its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from distgrad import ops

FILES = sorted(Path(ops.__file__).parent.glob("*.py"))

# What stands for itself, whatever the library of the arrays: types, data types and their limits.
# `einsum_path` counts operations from shapes alone.
ALLOWED = {"dtype", "einsum_path", "finfo", "generic", "iinfo", "integer", "ndarray"}


def uses(path: Path) -> Iterator[tuple[int, str]]:
    """The names of NumPy that a file uses, with their lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == "np":
            yield node.lineno, node.attr


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_function_of_numpy_is_called(path: Path) -> None:
    for line, name in uses(path):
        value = getattr(np, name)
        is_type = isinstance(value, type) and issubclass(value, np.generic)
        assert is_type or name in ALLOWED, (
            f"{path.name}:{line} calls np.{name}: use xp.{name}, and where CuPy has it not, put it "
            "into distgrad/backend/lacking.py"
        )
