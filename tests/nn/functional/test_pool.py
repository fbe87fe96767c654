from functools import partial
from typing import Any

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F

MAX_CASES = [
    ((8, 8), {"kernel_size": 2}),
    ((7, 9), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}),
    ((7, 8), {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    ((7, 5), {"kernel_size": (2, 3), "stride": 3, "padding": 1, "ceil_mode": True}),
    ((9, 9), {"kernel_size": (2, 3), "stride": 1, "dilation": (3, 2), "padding": (1, 1)}),
    ((1, 1), {"kernel_size": 2, "ceil_mode": True}),
]
AVG_CASES = [
    ((8, 8), {"kernel_size": 2}),
    ((7, 9), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}),
    ((7, 9), {"kernel_size": 4, "stride": 3, "padding": 2, "count_include_pad": False}),
    ((7, 8), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    ((8, 7), {"kernel_size": 3, "stride": 3, "ceil_mode": True, "count_include_pad": False}),
    ((6, 6), {"kernel_size": 3, "stride": 1, "padding": 1, "divisor_override": 5}),
    ((6, 6), {"kernel_size": 6}),
]


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("name", "size", "arguments"),
    [("max_pool2d", *c) for c in MAX_CASES] + [("avg_pool2d", *c) for c in AVG_CASES],
    ids=str,
)
def test_values_and_gradients_of_two_orders_are_pytorchs(
    name: str, size: Any, arguments: Any, dtype: Any, count: int
) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.integers(-2, 3, (count, 3, *size)).astype(dtype)
    y = getattr(F, name)(dg.Tensor(x), **arguments)
    above = rng.standard_normal(y.shape).astype(dtype)

    def results(wrap: Any, pool: Any, grad: Any) -> list[Any]:
        leaf, weights = wrap(x), wrap(above)
        leaf.requires_grad_()
        weights.requires_grad_()
        y = pool(leaf, **arguments)
        (first,) = grad(y, leaf, weights, create_graph=True)
        (second,) = grad((first * first * first).sum(), weights)
        return [y, first, second]

    own = results(lambda a: dg.Tensor(a.copy()), getattr(F, name), dg.autograd.grad)
    theirs = results(torch.tensor, getattr(torch.nn.functional, name), torch.autograd.grad)
    for value, expected in zip(own, theirs, strict=True):
        assert value.dtype == dtype
        assert value.shape == tuple(expected.shape)
        np.testing.assert_allclose(
            value.detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("row", [[1, np.nan, 2, np.nan], [np.nan, 1, 0, 0], [3, 3, 3, 0]])
def test_equal_elements_and_nan_as_in_pytorch(row: list[float]) -> None:
    torch = pytest.importorskip("torch")
    x = np.array(row, np.float32).reshape(1, 1, 1, 4)
    own, theirs = dg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    F.max_pool2d(own, (1, 4)).sum().backward()
    torch.nn.functional.max_pool2d(theirs, (1, 4)).sum().backward()
    assert own.grad is not None
    np.testing.assert_array_equal(own.grad.numpy(), theirs.grad.numpy())


def test_windows_that_tile_the_image_are_blocks_of_it() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 8))
    blocks = x.reshape(2, 3, 3, 2, 2, 4)
    image = dg.Tensor(x)
    np.testing.assert_array_equal(F.max_pool2d(image, (2, 4)).numpy(), blocks.max(axis=(3, 5)))
    np.testing.assert_allclose(F.avg_pool2d(image, (2, 4)).numpy(), blocks.mean(axis=(3, 5)))


def test_gradients_by_differences() -> None:
    rng = np.random.default_rng(0)
    x = dg.Tensor(rng.permutation(np.arange(60.0)).reshape(1, 2, 6, 5), requires_grad=True)
    for pool in (F.max_pool2d, F.avg_pool2d):
        run = partial(pool, kernel_size=3, stride=2, padding=1, ceil_mode=True)
        assert dg.autograd.gradcheck(run, x)
        assert dg.autograd.gradgradcheck(run, x)


def test_what_counts_in_a_mean() -> None:
    x = dg.ones(1, 3, 3)
    padded = {"kernel_size": 2, "padding": 1, "stride": 2, "ceil_mode": True}
    assert F.avg_pool2d(x, **padded).tolist() == [[[0.25, 0.5], [0.5, 1.0]]]
    assert F.avg_pool2d(x, **padded, count_include_pad=False).tolist() == [[[1, 1], [1, 1]]]
    assert F.avg_pool2d(x, **padded, divisor_override=8).tolist() == [[[0.125, 0.25], [0.25, 0.5]]]
    assert F.avg_pool2d(x, 2, ceil_mode=True).tolist() == [[[1, 1], [1, 1]]]


def test_one_image_is_a_batch_of_one() -> None:
    x = dg.arange(72.0).reshape(2, 2, 3, 6)
    for pool in (F.max_pool2d, F.avg_pool2d):
        np.testing.assert_array_equal(pool(x[1], 2).numpy(), pool(x, 2).numpy()[1])


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        ((4, 4), {"kernel_size": 2}, r"\(N, C, H, W\) or \(C, H, W\), got \(4, 4\)"),
        ((1, 1, 4, 4), {"kernel_size": 0}, "kernel_size must be .* 1 or more, got 0"),
        ((1, 1, 4, 4), {"kernel_size": 2, "stride": (1, 0)}, r"stride must be .* got \(1, 0\)"),
        (
            (1, 1, 4, 4),
            {"kernel_size": 2, "padding": 2},
            r"at most half .* \(2, 2\) for \(2, 2\)",
        ),
        ((1, 1, 4, 2), {"kernel_size": 3}, "columns it spans 3 .* there are 2 = 2"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, shape: Any, arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: .*{message}"):
        getattr(F, name)(dg.zeros(*shape), **arguments)


def test_other_refusals() -> None:
    with pytest.raises(ValueError, match="divisor_override must not be 0"):
        F.avg_pool2d(dg.zeros(1, 2, 2), 2, divisor_override=0)
    with pytest.raises(ValueError, match=r"max_pool2d: dilation must be .* got 0"):
        F.max_pool2d(dg.zeros(1, 2, 2), 2, dilation=0)
    for pool in (F.max_pool2d, F.avg_pool2d):
        with pytest.raises(TypeError, match="must hold numbers, not bool"):
            pool(dg.zeros(1, 2, 2, dtype=dg.bool_), 2)
        with pytest.raises(ValueError, match=r"may have length 0, got .* \(2, 0, 3, 3\)"):
            pool(dg.zeros(2, 0, 3, 3), 2)
