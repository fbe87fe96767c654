from typing import Any

import numpy as np
import pytest
from helpers.parity import check_gradients
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import distgrad as dg
import distgrad.nn.functional as F

CASES = [
    # channels in and out, size, kernel, arguments
    (3, 3, (4,), (3,), {"stride": (2,), "padding": 2, "output_padding": (1,)}),
    (
        2,
        4,
        (4,),
        (4,),
        {"stride": 3, "output_padding": 2, "groups": 2, "dilation": 4},
    ),
    (1, 2, (5,), (2,), {}),
    (2, 4, (3, 4), (3, 2), {"stride": (2, 1), "padding": (1, 0), "groups": 2}),
    (4, 1, (3, 3), (2, 2), {"padding": (0, 1)}),
    (6, 6, (2, 3), (2, 3), {"groups": 3, "dilation": (2, 1), "output_padding": (1, 0)}),
    (1, 8, (4, 3), (1, 1), {"stride": 2, "output_padding": 1}),
]


def arrays(inputs: int, outputs: int, size: Any, kernel: Any, arguments: Any) -> list[Any]:
    rng = np.random.default_rng(0)
    weight = (inputs, outputs // arguments.get("groups", 1), *kernel)
    return [rng.standard_normal(shape) for shape in ((2, inputs, *size), weight, (outputs,))]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_and_gradients_of_two_orders_are_pytorchs(case: Any) -> None:
    name = f"conv_transpose{len(case[2])}d"
    check_gradients(arrays(*case), lambda m, f, *inputs: getattr(f, name)(*inputs, **case[4]))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradients_by_differences(case: Any) -> None:
    run = getattr(F, f"conv_transpose{len(case[2])}d")
    leaves = [dg.Tensor(a, requires_grad=True) for a in arrays(*case)]
    assert dg.autograd.gradcheck(lambda *x: run(*x, **case[4]), leaves)


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(deadline=None, max_examples=50)
@given(st.tuples(st.integers(1, 5), st.integers(1, 5)), pairs, pairs, pairs, st.integers(1, 3))
def test_it_is_the_transpose_of_the_convolution(
    size: Any, kernel: Any, stride: Any, dilation: Any, groups: int
) -> None:
    # <conv(x), y> = <x, conv_transpose(y)> for all x and y, where the output has x's size.
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    assume(all(n >= span for n, span in zip(size, spans, strict=True)))
    rng = np.random.default_rng(1)
    x = dg.Tensor(rng.standard_normal((2, 2 * groups, *size)))
    weight = dg.Tensor(rng.standard_normal((3 * groups, 2, *kernel)))
    window = {"stride": stride, "dilation": dilation, "groups": groups}
    conv = F.conv2d(x, weight, **window)
    extra = [(n - span) % s for n, span, s in zip(size, spans, stride, strict=True)]
    assume(all(e < max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)))
    y = dg.Tensor(rng.standard_normal(conv.shape))
    back = F.conv_transpose2d(y, weight, output_padding=extra, **window)
    assert back.shape == x.shape
    np.testing.assert_allclose((conv * y).sum().item(), (x * back).sum().item(), rtol=1e-10)


def test_each_element_hands_down_the_kernel() -> None:
    x, kernel = np.array([1.0, -2.0, 3.0]), np.array([1.0, 10.0, 100.0])
    signal, weight, one = dg.Tensor(x[None]), dg.Tensor(kernel[None, None]), dg.Tensor(np.ones(1))
    y = F.conv_transpose1d(signal, weight, one)
    np.testing.assert_array_equal(y.data[0], np.convolve(x, kernel) + 1)
    apart = F.conv_transpose1d(signal, weight, stride=3)
    np.testing.assert_array_equal(apart.data[0], np.outer(x, kernel).ravel())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float32_unbatched_and_no_images(case: Any) -> None:
    x, weight, bias = (dg.Tensor(a.astype(np.float32)) for a in arrays(*case))
    run = getattr(F, f"conv_transpose{len(case[2])}d")
    y = run(x, weight, bias, **case[4])
    assert y.dtype == np.float32
    one = run(x[1], weight, bias, **case[4])
    np.testing.assert_allclose(one.data, y.data[1], rtol=1e-4, atol=1e-5)
    assert run(x[:0], weight, bias, **case[4]).shape == (0, *y.shape[1:])


@pytest.mark.parametrize(
    ("shapes", "arguments", "message"),
    [
        (((4,), (4, 2, 3)), {}, r"\(N, C, L\) or \(C, L\), got \(4,\)"),
        (((1, 4, 5), (4, 2)), {}, r"\(C, O / groups, k\) without a zero, got \(4, 2\)"),
        (((1, 3, 5), (4, 2, 3)), {}, "needs an input of 4 channels, got 3"),
        (((1, 4, 5), (4, 2, 3)), {"groups": 3}, "divide the 4 input channels, got 3"),
        (((1, 4, 5), (4, 2, 3)), {"stride": 0}, "stride must be .* 1 or more, got 0"),
        (((1, 4, 5), (4, 2, 3), (2, 1)), {}, r"needs a bias of shape \(2,\), got \(2, 1\)"),
        (
            ((1, 4, 5), (4, 2, 3)),
            {"output_padding": 2, "stride": 2},
            r"output_padding must be less than .* got \(2,\) for \(2,\) and \(1,\)",
        ),
        (
            ((1, 4, 2), (4, 2, 2)),
            {"padding": 2},
            r"nothing would be left of the output, of size \(-1,\): windows span \(3,\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(shapes: Any, arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"conv_transpose1d: .*{message}"):
        F.conv_transpose1d(*(dg.zeros(*shape) for shape in shapes), **arguments)


def test_data_types_are_checked() -> None:
    x, weight = dg.zeros(1, 1, 3), dg.zeros(1, 1, 2)
    with pytest.raises(TypeError, match="must hold numbers, not bool"):
        F.conv_transpose1d(x.to(dg.bool_), weight)
    with pytest.raises(RuntimeError, match="one data type, got float32, float64"):
        F.conv_transpose1d(x, weight.to(dg.float64))
