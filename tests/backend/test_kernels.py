"""The kernel table: what stands in for a reference, for which arrays, and what does not."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import distgrad as dg
from distgrad import ops
from distgrad.backend.kernels import Kernel, kernel, use


@kernel
def doubled(xp: Any, x: Any, *, times: int = 1) -> Any:
    """Twice as much."""
    return x * 2**times


@pytest.fixture
def column() -> Iterator[Callable[..., None]]:
    """Put implementations in use for NumPy's arrays, for the time of a test."""
    before = use(np, {})
    yield lambda **implementations: use(np, implementations)
    use(np, before)


def test_a_kernel_runs_its_reference_where_nothing_is_in_use() -> None:
    assert doubled(np, np.ones(2), times=2).tolist() == [4.0, 4.0]
    assert (doubled.name, doubled.__doc__) == ("doubled", "Twice as much.")
    assert repr(doubled) == "<kernel doubled>"


def test_an_implementation_stands_in_for_arrays_of_its_library(column: Any) -> None:
    calls = []
    column(doubled=lambda xp, x, times=1: calls.append((xp, times)) or -x)
    assert doubled(np, np.ones(1), times=3).tolist() == [-1.0]
    assert calls == [(np, 3)]
    assert doubled("another library", np.ones(1)).tolist() == [2.0]


def test_one_that_does_not_serve_the_arrays_leaves_them_to_the_reference(column: Any) -> None:
    column(doubled=lambda xp, x, times=1: NotImplemented)
    assert doubled(np, np.ones(1)).tolist() == [2.0]


def test_an_op_in_the_table_takes_the_implementation_in_both_passes(column: Any) -> None:
    assert isinstance(ops.gelu.forward, Kernel)
    column(gelu=lambda xp, x, approximate: x * 10, gelu_x=lambda xp, g, x, approximate: g * 7)
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = dg.nn.functional.gelu(x)
    y.sum().backward()
    assert y.tolist() == [10.0, 20.0]
    assert x.grad is not None
    assert x.grad.tolist() == [7.0, 7.0]


def test_an_op_that_is_not_in_the_table_has_none() -> None:
    assert not isinstance(ops.tanh.forward, Kernel)
