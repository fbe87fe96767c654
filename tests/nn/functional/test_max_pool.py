"""Signals, places and the way back; images are in test_pool.py."""

from typing import Any

import numpy as np
import pytest
from helpers.parity import check_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

import distgrad as dg
import distgrad.nn.functional as F

SIGNALS = [
    {"kernel_size": 2},
    {"kernel_size": (3,), "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": (), "dilation": 3, "padding": (1,)},
]


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape) * 0.5 - 3


@pytest.mark.parametrize("arguments", SIGNALS)
def test_signals_are_pytorchs(arguments: Any) -> None:
    def largest(m: Any, f: Any, x: Any) -> Any:
        return f.max_pool1d(x, **arguments)

    check_gradients([numbers(2, 3, 9)], largest)
    torch = pytest.importorskip("torch")
    for x in (numbers(2, 3, 9), numbers(3, 10)):
        own = F.max_pool1d(dg.Tensor(x), **arguments, return_indices=True)
        theirs = torch.nn.functional.max_pool1d(torch.tensor(x), **arguments, return_indices=True)
        for a, b in zip(own, theirs, strict=True):
            assert a.tolist() == b.tolist()


def test_a_signal_is_windows_of_numpy() -> None:
    x = numbers(2, 3, 11)
    windows = np.lib.stride_tricks.sliding_window_view(x, 4, axis=2)[:, :, ::2]
    y, places = F.max_pool1d(dg.Tensor(x), 4, 2, return_indices=True)
    np.testing.assert_array_equal(y.data, windows.max(-1))
    np.testing.assert_array_equal(places.data, windows.argmax(-1) + np.arange(4) * 2)
    assert places.dtype == np.int64


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(st.integers(2, 7), st.integers(2, 7)),
    st.tuples(st.integers(1, 2), st.integers(1, 2)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.booleans(),
)
def test_places_are_where_the_elements_lie(size: Any, kernel: Any, stride: Any, ceil: bool) -> None:
    x = numbers(2, 2, *size)
    padding = tuple(k // 2 for k in kernel)
    y, places = F.max_pool2d(dg.Tensor(x), kernel, stride, padding, 1, ceil, return_indices=True)
    flat = x.reshape(2, 2, -1)
    found = np.take_along_axis(flat, places.data.reshape(2, 2, -1), 2)
    np.testing.assert_array_equal(found.reshape(y.shape), y.data)


def test_the_value_has_its_gradient_beside_its_place() -> None:
    x = dg.Tensor(numbers(1, 2, 6), requires_grad=True)
    y, places = F.max_pool1d(x, 3, return_indices=True)
    assert not places.requires_grad
    y.sum().backward()
    assert x.grad is not None
    expected = np.zeros((1, 2, 6))
    np.put_along_axis(expected, places.data, 1, 2)
    assert x.grad.tolist() == expected.tolist()


def test_whole_numbers() -> None:
    x = dg.tensor([[-3, -5, -4, -9]])
    assert F.max_pool1d(x, 2, padding=1).tolist() == [[-3, -4, -9]]
    assert F.max_pool1d(x, 2).dtype == np.int64


def test_a_window_that_meets_nothing_has_no_place() -> None:
    y, places = F.max_pool1d(dg.ones(1, 1), 2, padding=1, dilation=2, return_indices=True)
    assert (y.tolist(), places.tolist()) == ([[-np.inf]], [[-1]])


# Back


@pytest.mark.parametrize("shape", [(2, 3, 8), (3, 8), (2, 3, 8, 6), (3, 8, 6)])
def test_elements_go_back_to_where_they_were(shape: tuple[int, ...]) -> None:
    axes = 2 if shape in ((2, 3, 8, 6), (3, 8, 6)) else 1
    x = dg.Tensor(numbers(*shape))
    y, places = getattr(F, f"max_pool{axes}d")(x, 2, return_indices=True)
    back = getattr(F, f"max_unpool{axes}d")(y, places, 2)
    assert back.shape == shape
    assert sorted(back.data[back.data != 0].tolist()) == sorted(y.data[y.data != 0].tolist())
    assert ((back.data == 0) | (back.data == x.data)).all()


@pytest.mark.parametrize(("axes", "size"), [(1, (7,)), (2, (7, 5))])
def test_the_way_back_is_pytorchs(axes: int, size: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    x = torch.tensor(numbers(2, 2, *size))
    pool = getattr(torch.nn.functional, f"max_pool{axes}d")
    y, places = pool(x, 3, 2, 1, return_indices=True)
    own = dg.Tensor(places.numpy())

    def back(m: Any, f: Any, values: Any) -> Any:
        where = own if m is dg else places
        return getattr(f, f"max_unpool{axes}d")(values, where, 3, 2, 1, output_size=x.shape)

    check_gradients([y.numpy()], back)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"indices": dg.zeros(1, 3, dtype=dg.int64)}, ValueError, r"shape \(1, 2\), got \(1, 3\)"),
        ({"indices": dg.zeros(1, 2)}, TypeError, "int64, not float32"),
        ({"output_size": (1, 4)}, ValueError, r"1 numbers, or 3 with N and C, got \(1, 4\)"),
        ({"output_size": 6}, ValueError, r"less than the stride \(2,\) from \(4,\), got \(6,\)"),
        (
            {"indices": dg.tensor([[0, 4]])},
            IndexError,
            r"output of size \(4,\), from 0 to 3, got 4; output_size",
        ),
        ({"indices": dg.tensor([[0, -1]])}, IndexError, "from 0 to 3, got -1"),
        ({"kernel_size": 0}, ValueError, "kernel_size must be .* 1 or more, got 0"),
        ({"input": dg.zeros(2)}, ValueError, r"\(N, C, L\) or \(C, L\), got \(2,\)"),
    ],
)
def test_what_cannot_go_back_is_refused(arguments: Any, error: Any, message: str) -> None:
    usual = {"input": dg.ones(1, 2), "indices": dg.tensor([[0, 3]]), "kernel_size": 2}
    with pytest.raises(error, match=f"max_unpool1d: .*{message}"):
        F.max_unpool1d(**{**usual, **arguments})


def test_other_refusals() -> None:
    with pytest.raises(ValueError, match=r"max_pool1d: padding .* half .* \(2,\) for \(3,\)"):
        F.max_pool1d(dg.ones(1, 4), 3, padding=2)
    with pytest.raises(TypeError, match="max_pool1d: the input must hold numbers, not bool"):
        F.max_pool1d(dg.ones(1, 4).to(dg.bool_), 2)
    with pytest.raises(ValueError, match="max_pool1d: no axis but that of the batch may have"):
        F.max_pool1d(dg.ones(0, 4), 2)
    assert F.max_pool1d(dg.ones(0, 1, 4), 2).shape == (0, 1, 2)
