from typing import Any

import numpy as np
import pytest
import scipy.signal

import distgrad as dg
import distgrad.nn.functional as F

CASES = [
    # channels in and out, size, kernel, arguments
    (1, 4, (28, 28), (3, 3), {"padding": 1}),
    (3, 8, (11, 7), (3, 5), {"stride": (2, 3), "padding": (0, 4)}),
    (6, 4, (9, 8), (2, 3), {"groups": 2, "dilation": (2, 1)}),
    (5, 5, (7, 7), (3, 3), {"groups": 5, "padding": "same"}),
    (4, 12, (6, 5), (2, 4), {"groups": 4, "padding": "same", "dilation": 2}),
    (3, 2, (6, 6), (1, 1), {}),
    (3, 2, (6, 5), (1, 1), {"stride": 2, "padding": 1}),
    (2, 20, (6, 5), (4, 3), {"padding": (3, 2)}),
    (2, 3, (5, 5), (5, 5), {"padding": "valid"}),
]


def arrays(case: Any, dtype: Any, count: int = 3) -> list[Any]:
    """Images, weight, bias, gradient of the result, and a direction for each of the first three."""
    inputs, outputs, size, kernel, arguments = case
    rng = np.random.default_rng(0)
    shapes = [
        (count, inputs, *size),
        (outputs, inputs // arguments.get("groups", 1), *kernel),
        (outputs,),
    ]
    x, weight, bias = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    y = F.conv2d(dg.Tensor(x), dg.Tensor(weight), **arguments)
    shapes = [y.shape, *shapes]
    return [x, weight, bias, *(rng.standard_normal(shape).astype(dtype) for shape in shapes)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_and_gradients_of_two_orders_are_pytorchs(case: Any, dtype: Any) -> None:
    torch = pytest.importorskip("torch")
    x, weight, bias, above, *directions = arrays(case, dtype)
    tolerance = {np.float32: 2e-4, np.float64: 1e-10}[dtype]

    def results(wrap: Any, conv2d: Any, grad: Any) -> list[Any]:
        leaves = [wrap(a) for a in (x, weight, bias, above)]
        for leaf in leaves:
            leaf.requires_grad_()
        y = conv2d(*leaves[:3], **case[4])
        first = grad(y, leaves[:3], leaves[3], create_graph=True)
        total = sum((g * wrap(d)).sum() for g, d in zip(first[:2], directions, strict=False))
        second = grad(total, [leaves[0], leaves[1], leaves[3]])
        return [y, *first, *second]

    own = results(lambda a: dg.Tensor(a.copy()), F.conv2d, dg.autograd.grad)
    theirs = results(torch.tensor, torch.nn.functional.conv2d, torch.autograd.grad)
    for value, expected in zip(own, theirs, strict=True):
        assert value.dtype == dtype
        assert value.shape == tuple(expected.shape)
        np.testing.assert_allclose(
            value.detach().numpy(), expected.detach().numpy(), rtol=tolerance, atol=tolerance
        )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_batch_of_no_images(case: Any) -> None:
    leaves = [dg.Tensor(a, requires_grad=True) for a in arrays(case, np.float32, count=0)[:3]]
    y = F.conv2d(*leaves, **case[4])
    assert y.shape[:2] == (0, case[1])
    y.sum().backward()
    for leaf in leaves:
        assert leaf.grad is not None
        assert leaf.grad.shape == leaf.shape
        assert not leaf.grad.data.any()


def test_one_channel_is_scipys_correlation() -> None:
    rng = np.random.default_rng(1)
    x, kernel = rng.standard_normal((9, 7)), rng.standard_normal((3, 4))
    for mode in ("valid", "same"):
        y = F.conv2d(dg.Tensor(x[None, None]), dg.Tensor(kernel[None, None]), padding=mode).numpy()
        # SciPy's "same" has the odd zero above and left, ours and PyTorch's below and right.
        full = scipy.signal.correlate2d(x, kernel, "full")
        expected = full[2:-2, 3:-3] if mode == "valid" else full[1:-1, 2:-1]
        np.testing.assert_allclose(y[0, 0], expected, rtol=1e-12)


def test_one_image_is_a_batch_of_one() -> None:
    x, weight, bias, *_ = (dg.Tensor(a) for a in arrays(CASES[1], np.float32))
    batch = F.conv2d(x, weight, bias, padding=2)
    one = F.conv2d(x[1], weight, bias, padding=2)
    assert one.shape == batch.shape[1:]
    np.testing.assert_allclose(one.numpy(), batch.numpy()[1], rtol=1e-5, atol=1e-5)


def test_a_network_converts_its_input_once() -> None:
    x = dg.ones(2, 3, 8, 8)
    y = F.max_pool2d(F.relu(F.conv2d(x, dg.ones(4, 3, 3, 3), dg.ones(4))), 2)
    for z in (y, F.conv2d(y, dg.ones(2, 4, 1, 1))):
        assert z.numpy().transpose(0, 2, 3, 1).flags.c_contiguous


def conv2d(input: tuple[int, ...], weight: tuple[int, ...], *bias: int, **arguments: Any) -> Any:
    return F.conv2d(
        dg.zeros(*input), dg.zeros(*weight), dg.zeros(*bias) if bias else None, **arguments
    )


@pytest.mark.parametrize(
    ("shapes", "arguments", "message"),
    [
        (((2, 3), (4, 3, 3, 3)), {}, r"\(N, C, H, W\) or \(C, H, W\), got \(2, 3\)"),
        (((1, 3, 8, 8), (4, 3, 3)), {}, r"weight must have shape .* got \(4, 3, 3\)"),
        (((1, 3, 8, 8), (0, 3, 3, 3)), {}, r"without a zero, got \(0, 3, 3, 3\)"),
        (((1, 3, 8, 8), (4, 3, 3, 3), 3), {}, r"needs a bias of shape \(4,\), got \(3,\)"),
        (((1, 3, 8, 8), (4, 2, 3, 3)), {}, r"groups=1 needs an input of 2 \* 1 = 2 channels"),
        (((1, 3, 8, 8), (4, 3, 3, 3)), {"groups": 3}, "divide the 4 output channels, got 3"),
        (((1, 3, 8, 8), (4, 3, 3, 3)), {"groups": 0}, "groups must be 1 or more"),
        (((1, 3, 8, 8), (4, 3, 3, 3)), {"stride": 0}, "stride must be .* 1 or more, got 0"),
        (((1, 3, 8, 8), (4, 3, 3, 3)), {"padding": -1}, "padding must be .* 0 or more, got -1"),
        (((1, 3, 8, 8), (4, 3, 3, 3)), {"dilation": (1, 2, 3)}, r"two .* got \(1, 2, 3\)"),
        (((1, 3, 8, 8), (4, 3, 3, 3)), {"stride": (1, 0.5)}, r"stride must be an integer or two"),
        (((1, 3, 8, 8), (4, 3, 3, 3)), {"padding": "full"}, '"valid" or "same", got \'full\''),
        (
            ((1, 3, 8, 8), (4, 3, 3, 3)),
            {"padding": "same", "stride": 2},
            r"needs stride 1, got \(2, 2\)",
        ),
        (
            ((1, 3, 8, 4), (4, 3, 3, 4)),
            {"padding": 1, "dilation": 3},
            r"of columns it spans 10 = 3 \* \(4 - 1\) \+ 1 and there are 6 = 4 \+ 1 \+ 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused(shapes: Any, arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        conv2d(*shapes, **arguments)


def test_data_types_are_checked() -> None:
    x, weight = dg.zeros(1, 1, 3, 3), dg.zeros(1, 1, 2, 2)
    with pytest.raises(TypeError, match="floating-point type, not int64"):
        F.conv2d(x.to(dg.int64), weight)
    with pytest.raises(RuntimeError, match=r"one data type, got float32, float64 .* \.to\(\)"):
        F.conv2d(x, weight.to(dg.float64))
