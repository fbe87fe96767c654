"""Signals, whole numbers and power means; images are in test_pool.py."""

from typing import Any

import numpy as np
import pytest
from helpers.parity import check_gradients

import distgrad as dg
import distgrad.nn.functional as F

SIGNALS = [
    {"kernel_size": 3},
    {"kernel_size": (4,), "stride": 3, "padding": 2, "ceil_mode": True},
    {"kernel_size": 4, "stride": 3, "padding": 1, "count_include_pad": False},
]


@pytest.mark.parametrize("arguments", SIGNALS)
def test_signals_are_pytorchs(arguments: Any) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 9))
    check_gradients([x], lambda m, f, x: f.avg_pool1d(x, **arguments))
    check_gradients([x[0]], lambda m, f, x: f.avg_pool1d(x, **arguments))


def test_a_signal_is_windows_of_numpy() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 11))
    windows = np.lib.stride_tricks.sliding_window_view(x, 4, axis=2)[:, :, ::2]
    np.testing.assert_allclose(F.avg_pool1d(dg.Tensor(x), 4, 2).data, windows.mean(-1))


def test_means_of_whole_numbers_are_rounded_towards_0() -> None:
    x = dg.tensor([[1, 2, -1, -2, 5, 5]])
    y = F.avg_pool1d(x, 2)
    assert (y.tolist(), y.dtype) == ([[1, -1, 5]], np.int64)
    assert F.avg_pool2d(x.reshape(1, 2, 3), (2, 3), divisor_override=-3).tolist() == [[[-3]]]


def test_whole_numbers_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).integers(-9, 9, (2, 2, 7, 8))
    arguments = {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}
    theirs = torch.nn.functional.avg_pool2d(torch.tensor(x), **arguments)
    assert F.avg_pool2d(dg.tensor(x), **arguments).tolist() == theirs.tolist()


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, np.inf, -np.inf])
@pytest.mark.parametrize("axes", [1, 2])
def test_power_means_are_pytorchs(norm_type: float, axes: int) -> None:
    x = np.random.default_rng(0).uniform(0.2, 2, (2, 2, *(7, 6)[:axes]))
    for arguments in ({"kernel_size": 3}, {"kernel_size": 3, "stride": 2, "ceil_mode": True}):
        check_gradients(
            [x],
            lambda m, f, x, a=arguments: getattr(f, f"lp_pool{axes}d")(x, norm_type, **a),
        )


def test_power_means_are_norms_of_windows() -> None:
    x = np.random.default_rng(0).standard_normal((1, 2, 8))
    windows = x.reshape(1, 2, 2, 4)
    for p in (2, 4, np.inf, -np.inf):
        y = F.lp_pool1d(dg.Tensor(x), p, 4)
        np.testing.assert_allclose(y.data, np.linalg.norm(windows, p, axis=-1), rtol=1e-12)


def test_where_a_window_is_zero_so_is_the_gradient_of_its_norm() -> None:
    x = dg.zeros(1, 4, requires_grad=True)
    F.lp_pool1d(x, 1, 2).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0, 0, 0, 0]]


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"avg_pool1d: padding .* half .* \(2,\) for \(3,\)"):
        F.avg_pool1d(dg.ones(1, 4), 3, padding=2)
    with pytest.raises(TypeError, match="avg_pool1d: the input must hold numbers, not bool"):
        F.avg_pool1d(dg.ones(1, 4).to(dg.bool_), 2)
    with pytest.raises(ValueError, match="avg_pool1d: stride must be an integer, alone or in a"):
        F.avg_pool1d(dg.ones(1, 4), 2, stride=(1, 2))
