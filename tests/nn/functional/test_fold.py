from typing import Any

import numpy as np
import pytest
from helpers.parity import check_gradients
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import distgrad as dg
import distgrad.nn.functional as F

CASES: list[tuple[Any, dict[str, Any]]] = [
    ((5, 5), {"kernel_size": 2}),
    ((4, 6), {"kernel_size": (2, 3), "dilation": (1, 2), "padding": (1, 2), "stride": (1, 2)}),
    ((5, 3), {"kernel_size": (3, 1), "dilation": 2, "stride": (2, 1)}),
]


def image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize(("size", "arguments"), CASES, ids=str)
def test_values_and_gradients_of_two_orders_are_pytorchs(size: Any, arguments: Any) -> None:
    check_gradients([image(2, 3, *size)], lambda m, f, x: f.unfold(x, **arguments))
    columns = F.unfold(dg.Tensor(image(2, 3, *size)), **arguments).data.copy()
    check_gradients([columns], lambda m, f, x: f.fold(x, size, **arguments))
    check_gradients([columns[0]], lambda m, f, x: f.fold(x, size, **arguments))


def test_columns_are_windows_of_numpy() -> None:
    x = image(2, 3, 5, 6)
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 3), axis=(2, 3))[:, :, ::2]
    expected = windows.transpose(0, 1, 4, 5, 2, 3).reshape(2, 18, 8)
    np.testing.assert_array_equal(F.unfold(dg.Tensor(x), (2, 3), stride=(2, 1)).data, expected)


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(deadline=None, max_examples=40)
@given(st.tuples(st.integers(1, 6), st.integers(1, 6)), pairs, pairs, pairs, st.integers(0, 2))
def test_fold_is_the_transpose_of_unfold(
    size: Any, kernel: Any, dilation: Any, stride: Any, padding: int
) -> None:
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    assume(all(n + 2 * padding >= span for n, span in zip(size, spans, strict=True)))
    window = {"dilation": dilation, "padding": padding, "stride": stride}
    x = dg.Tensor(image(2, 2, *size))
    columns = F.unfold(x, kernel, **window)
    weights = dg.Tensor(np.random.default_rng(1).standard_normal(columns.shape))
    back = F.fold(weights, size, kernel, **window)
    np.testing.assert_allclose(
        (columns * weights).sum().item(), (x * back).sum().item(), rtol=1e-9, atol=1e-9
    )


def test_a_convolution_is_a_product_with_columns() -> None:
    x, weight = dg.Tensor(image(2, 3, 5, 6)), dg.Tensor(image(4, 3, 2, 3))
    product = weight.reshape(4, 18) @ F.unfold(x, (2, 3))
    np.testing.assert_allclose(
        product.reshape(2, 4, 4, 4).data, F.conv2d(x, weight).data, rtol=1e-10
    )


def test_one_image_and_none() -> None:
    x = dg.Tensor(image(2, 3, 5, 5))
    assert F.unfold(x[1], 2).tolist() == F.unfold(x, 2)[1].tolist()
    assert F.unfold(x[:0], 2).shape == (0, 12, 16)
    assert F.fold(dg.ones(0, 12, 16), 5, 2).shape == (0, 3, 5, 5)
    assert F.unfold(x.to(dg.float32), 2).dtype == np.float32


@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        ((4, 4), {}, r"\(N, C, H, W\) or \(C, H, W\), got \(4, 4\)"),
        ((1, 0, 4, 4), {}, r"may have length 0, got .* \(1, 0, 4, 4\)"),
        ((1, 1, 4, 4), {"kernel_size": 0}, "kernel_size must be .* 1 or more, got 0"),
        ((1, 1, 4, 4), {"kernel_size": 5}, "of rows it spans 5 .* there are 4 = 4"),
        ((1, 1, 4, 4), {"stride": (1, 2, 3)}, r"stride must be .* got \(1, 2, 3\)"),
    ],
)
def test_what_cannot_be_unfolded_is_refused(shape: Any, arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"unfold: .*{message}"):
        F.unfold(dg.ones(*shape), **{"kernel_size": 2, **arguments})


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 7, 9), (9,), (1, 1, 8, 9), (1, 0, 9)])
def test_what_cannot_be_folded_is_refused(shape: Any) -> None:
    with pytest.raises(
        ValueError, match=r"fold: .* \(N, C \* 4, 9\) or .* 3 \* 3 windows of 2 \* 2"
    ):
        F.fold(dg.ones(*shape), 4, 2)
    with pytest.raises(ValueError, match=r"fold: output_size must be .* got 0"):
        F.fold(dg.ones(*shape), 0, 2)
