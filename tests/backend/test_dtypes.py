"""The data type of a result, over all pairs of operands."""

import enum

import numpy as np
import pytest

import distgrad as dg
from distgrad.backend.dtypes import is_floating, promote, result_type

CODES = {"b": "bool", "i": "int32", "l": "int64", "h": "float16", "f": "float32", "d": "float64"}
NUMBERS = (True, 1, 1.0)

# PyTorch's answers. Rows: arrays with axes, then 0-d arrays, of the types bool, int32, int64,
# float16, float32, float64. Columns: the same twelve, then a Python bool, int, float.
TABLE = [
    "b i l h f d b i l h f d b l f",
    "i i l h f d i i i h f d i i f",
    "l l l h f d l l l h f d l l f",
    "h h h h f d h h h h h h h h h",
    "f f f f f d f f f f f f f f f",
    "d d d d d d d d d d d d d d d",
    "b i l h f d b i l h f d b l f",
    "i i l h f d i i l h f d i i f",
    "l i l h f d l l l h f d l l f",
    "h h h h f d h h h h f d h h h",
    "f f f h f d f f f f f d f f f",
    "d d d h f d d d d d d d d d d",
]
OPERANDS = [dg.ones(*size, dtype=name) for size in [(2,), ()] for name in CODES.values()]
PAIRS = [
    pytest.param(i, j, id=f"{TABLE[i].split()[i]}{OPERANDS[i].ndim}-{j}")
    for i in range(12)
    for j in range(15)
]


def expected(i: int, j: int) -> str:
    return CODES[TABLE[i].split()[j]]


@pytest.mark.parametrize(("i", "j"), PAIRS)
def test_result_of_arithmetic(i: int, j: int) -> None:
    left, right = OPERANDS[i], [*OPERANDS, *NUMBERS][j]
    result = left + right
    assert result.dtype == expected(i, j)
    assert (right + left).dtype == expected(i, j)
    assert (left == right).dtype == np.bool_
    quotient = left / right
    assert quotient.dtype == (result.dtype if is_floating(result.dtype) else np.float32)
    if j < 12:
        as_array = left * right.data
        if right.ndim:
            assert as_array.dtype == expected(i, j)


@pytest.mark.parametrize(("i", "j"), PAIRS)
def test_the_table_is_pytorchs(i: int, j: int) -> None:
    torch = pytest.importorskip("torch")
    operands = [torch.from_numpy(np.array(x.data)) for x in OPERANDS]
    result = operands[i] + [*operands, *NUMBERS][j]
    assert str(result.dtype) == f"torch.{expected(i, j)}"


def test_numbers_alone() -> None:
    assert result_type(1, 2.0) == np.float32
    assert result_type(True, 2) == np.int64
    assert result_type(True) == np.bool_


def test_named_numbers_are_numbers() -> None:
    class Size(enum.IntEnum):
        SMALL = 3

    assert (dg.ones(2) * Size.SMALL).tolist() == [3, 3]
    assert (dg.ones(2, dtype=dg.int32) * Size.SMALL).dtype == dg.int32


def test_numpy_scalars_count_as_python_numbers() -> None:
    for scalar in (np.float64(2), np.float32(2), np.int64(2), np.bool_(True)):
        assert (dg.ones(2) * scalar).dtype == dg.float32
        assert (scalar * dg.ones(2)).dtype == dg.float32
    assert (np.float64(2) * dg.tensor([1, 2])).dtype == dg.float32


def test_numpy_arrays_count_as_tensors() -> None:
    assert (dg.ones(2) * np.ones(2)).dtype == dg.float64
    assert (np.ones(2) * dg.ones(2)).dtype == dg.float64
    assert (dg.ones(2) * np.array(2.0)).dtype == dg.float32


def test_promote() -> None:
    assert promote(np.dtype("int64"), np.dtype("float16")) == np.float16
    assert promote(np.dtype("uint8"), np.dtype("int8")) == np.int16


def test_is_floating() -> None:
    assert [code for code, name in CODES.items() if is_floating(np.dtype(name))] == ["h", "f", "d"]
