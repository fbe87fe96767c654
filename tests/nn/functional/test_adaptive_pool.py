import itertools
from typing import Any

import numpy as np
import pytest
from helpers.parity import check_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

import distgrad as dg
import distgrad.nn.functional as F

SIZES = [((8,), 5), ((6,), (3,)), ((3,), 7), ((5, 7), (2, 7)), ((4, 6), 2), ((3, 4), (5, None))]


def distinct(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape) * 0.5 - 7


def bins(x: np.ndarray, size: tuple[int, ...]) -> Any:
    """(place in the output, bin of x) for each bin of the last axes."""
    lengths = x.shape[-len(size) :]
    for place in itertools.product(*map(range, size)):
        cut = [
            slice(i * n // m, -(-(i + 1) * n // m))
            for i, n, m in zip(place, lengths, size, strict=True)
        ]
        yield place, cut


@pytest.mark.parametrize(("lengths", "size"), SIZES)
@pytest.mark.parametrize("kind", ["avg", "max"])
def test_values_and_gradients_of_two_orders_are_pytorchs(
    kind: str, lengths: Any, size: Any
) -> None:
    name = f"adaptive_{kind}_pool{len(lengths)}d"
    check_gradients([distinct(2, 3, *lengths)], lambda m, f, x: getattr(f, name)(x, size))
    check_gradients([distinct(3, *lengths)], lambda m, f, x: getattr(f, name)(x, size))


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(st.integers(1, 7), st.integers(1, 7)), st.tuples(st.integers(0, 6), st.integers(0, 6))
)
def test_each_bin(lengths: tuple[int, int], size: tuple[int, int]) -> None:
    x = distinct(2, 2, *lengths)
    means = F.adaptive_avg_pool2d(dg.Tensor(x), size)
    largest, places = F.adaptive_max_pool2d(dg.Tensor(x), size, return_indices=True)
    assert means.shape == largest.shape == places.shape == (2, 2, *size)
    assert places.dtype == np.int64
    for place, cut in bins(x, size):
        seen = x[:, :, *cut].reshape(2, 2, -1)
        np.testing.assert_allclose(means.data[:, :, *place], seen.mean(-1), rtol=1e-13)
        np.testing.assert_array_equal(largest.data[:, :, *place], seen.max(-1))
    flat = x.reshape(2, 2, -1)
    found = np.take_along_axis(flat, places.data.reshape(2, 2, -1), 2)
    np.testing.assert_array_equal(found.reshape(largest.shape), largest.data)


def test_a_mean_of_equal_elements_is_that_element() -> None:
    assert F.adaptive_avg_pool2d(dg.full((1, 7, 7), 0.75), (1, 2)).tolist() == [[[0.75, 0.75]]]


@pytest.mark.parametrize("row", [[np.nan, 1, np.nan, 0, 2], [3, 3, 1, 3, 3], [-np.inf] * 5])
def test_equal_elements_and_nan_as_in_pytorch(row: list[float]) -> None:
    torch = pytest.importorskip("torch")
    x = np.array(row, np.float64).reshape(1, 5)
    own, theirs = dg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    a = F.adaptive_max_pool1d(own, 2, return_indices=True)
    b = torch.nn.functional.adaptive_max_pool1d(theirs, 2, return_indices=True)
    a[0].sum().backward()
    b[0].sum().backward()
    assert a[1].tolist() == b[1].tolist()
    np.testing.assert_array_equal(a[0].data, b[0].detach().numpy())
    assert own.grad is not None
    assert own.grad.tolist() == theirs.grad.tolist()


def test_gradients_by_differences() -> None:
    x = dg.Tensor(distinct(1, 2, 5, 4), requires_grad=True)
    for pool in (F.adaptive_avg_pool2d, F.adaptive_max_pool2d):
        for size in ((3, 2), (2, 2), (1, 1)):
            assert dg.autograd.gradcheck(lambda x, p=pool, s=size: p(x, s), x)
            assert dg.autograd.gradgradcheck(lambda x, p=pool, s=size: p(x, s), x)


@pytest.mark.parametrize("kind", ["avg", "max"])
def test_float32_and_no_images(kind: str) -> None:
    pool = getattr(F, f"adaptive_{kind}_pool1d")
    assert pool(dg.ones(2, 3, 5), 2).dtype == np.float32
    assert pool(dg.ones(0, 3, 5), 2).shape == (0, 3, 2)
    x = dg.ones(1, 3, 5, requires_grad=True)
    pool(x, 0).sum().backward()
    assert x.grad is not None
    assert not x.grad.data.any()


@pytest.mark.parametrize("kind", ["avg", "max"])
def test_what_does_not_fit_is_refused(kind: str) -> None:
    one, two = getattr(F, f"adaptive_{kind}_pool1d"), getattr(F, f"adaptive_{kind}_pool2d")
    for size in ((), -1, (2, 2), None):
        with pytest.raises(ValueError, match="1d: output_size must be an integer, alone or in a"):
            one(dg.ones(1, 2, 3), size)
    for size in ((), (-1, 0), (1, 2, 3)):
        with pytest.raises(ValueError, match=r"2d: output_size must be an integer or two \(rows"):
            two(dg.ones(1, 1, 2, 3), size)
    with pytest.raises(ValueError, match=r"\(N, C, H, W\) or \(C, H, W\), got \(2, 2\)"):
        two(dg.ones(2, 2), 1)
    with pytest.raises(ValueError, match=r"may have length 0, got an input of shape \(1, 0, 2\)"):
        one(dg.ones(1, 0, 2), 1)
    with pytest.raises(TypeError, match="floating-point type, not int64"):
        one(dg.ones(1, 2, dtype=dg.int64), 1)
