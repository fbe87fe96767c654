from typing import Any

import numpy as np
import pytest
import scipy.signal
from helpers.parity import check_gradients

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
    with pytest.raises(TypeError, match="must hold numbers, not bool"):
        F.conv2d(x.to(dg.bool_), weight)
    with pytest.raises(RuntimeError, match=r"one data type, got int64, float32 .* \.to\(\)"):
        F.conv2d(x.to(dg.int64), weight)
    with pytest.raises(RuntimeError, match=r"one data type, got float32, float64 .* \.to\(\)"):
        F.conv2d(x, weight.to(dg.float64))


# Signals

SIGNALS = [
    # channels in and out, length, kernel, arguments
    (1, 1, 9, 3, {}),
    (4, 6, 11, 3, {"stride": 2, "padding": 2, "groups": 2}),
    (2, 3, 8, 3, {"padding": "same", "dilation": (3,)}),
    (3, 2, 5, 1, {"padding": "valid"}),
]


@pytest.mark.parametrize(("inputs", "outputs", "length", "kernel", "arguments"), SIGNALS)
def test_a_signal_is_an_image_one_pixel_wide(
    inputs: int, outputs: int, length: int, kernel: int, arguments: Any
) -> None:
    rng = np.random.default_rng(2)
    x, weight, bias = (
        dg.Tensor(rng.standard_normal(shape), requires_grad=True)
        for shape in (
            (2, inputs, length),
            (outputs, inputs // arguments.get("groups", 1), kernel),
            (outputs,),
        )
    )
    sizes = {
        name: (value, 0 if name == "padding" else 1)
        for name, value in arguments.items()
        if name != "groups" and isinstance(value, int)
    }
    of_image = {**arguments, **sizes}
    if isinstance(arguments.get("dilation"), tuple):
        of_image["dilation"] = (*arguments["dilation"], 1)
    y = F.conv1d(x, weight, bias, **arguments)
    image = F.conv2d(x.unsqueeze(-1), weight.unsqueeze(-1), bias, **of_image).squeeze(-1)
    assert y.shape == image.shape
    np.testing.assert_array_equal(y.data, image.data)
    for a, b in zip(
        dg.autograd.grad((y * y).sum(), [x, weight, bias]),
        dg.autograd.grad((image * image).sum(), [x, weight, bias]),
        strict=True,
    ):
        np.testing.assert_array_equal(a.data, b.data)


def test_one_channel_of_a_signal_is_numpys_correlation() -> None:
    rng = np.random.default_rng(3)
    x, kernel = rng.standard_normal(12), rng.standard_normal(4)
    y = F.conv1d(dg.Tensor(x[None]), dg.Tensor(kernel[None, None]))
    np.testing.assert_allclose(y.data[0], np.correlate(x, kernel, "valid"), rtol=1e-12)


@pytest.mark.parametrize(("inputs", "outputs", "length", "kernel", "arguments"), SIGNALS)
def test_signals_and_gradients_of_two_orders_are_pytorchs(
    inputs: int, outputs: int, length: int, kernel: int, arguments: Any
) -> None:
    rng = np.random.default_rng(4)
    depth = inputs // arguments.get("groups", 1)
    shapes = [(2, inputs, length), (outputs, depth, kernel), (outputs,)]
    check_gradients(
        [rng.standard_normal(shape) for shape in shapes],
        lambda m, f, x, weight, bias: f.conv1d(x, weight, bias, **arguments),
    )


def test_one_signal_is_a_batch_of_one() -> None:
    x, weight = dg.arange(24.0).reshape(2, 3, 4), dg.arange(12.0).reshape(2, 3, 2)
    assert F.conv1d(x[1], weight).tolist() == F.conv1d(x, weight)[1].tolist()


def test_whole_numbers_stay_whole() -> None:
    x, weight = dg.arange(6).reshape(1, 1, 6), dg.tensor([[[1, 2]]])
    y = F.conv1d(x, weight, dg.tensor([1]))
    assert y.dtype == np.int64
    assert y.tolist() == [[[3, 6, 9, 12, 15]]]
    assert F.conv2d(x.unsqueeze(-1), weight.unsqueeze(-1)).flatten().tolist() == [2, 5, 8, 11, 14]


def test_a_number_may_stand_alone_in_a_tuple() -> None:
    x, weight = dg.randn(1, 1, 5, 5), dg.randn(1, 1, 2, 2)
    assert F.conv2d(x, weight, stride=(2,)).tolist() == F.conv2d(x, weight, stride=2).tolist()


@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        ((8,), {}, r"\(N, C, L\) or \(C, L\), got \(8,\)"),
        (
            (1, 2, 8),
            {"stride": (1, 2)},
            "stride must be an integer, alone or in a tuple, 1",
        ),
        ((1, 2, 8), {"stride": 2, "padding": "same"}, r"needs stride 1, got \(2,\)"),
        ((1, 2, 2), {}, r"of elements it spans 3 = 1 \* \(3 - 1\) \+ 1 and there are 2 = 2 \+ 0"),
        ((1, 3, 8), {}, r"input of 2 \* 1 = 2 channels, got 3"),
    ],
)
def test_what_does_not_fit_a_signal_is_refused(shape: Any, arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"conv1d: .*{message}"):
        F.conv1d(dg.zeros(*shape), dg.zeros(1, 2, 3), **arguments)
    with pytest.raises(ValueError, match=r"\(O, C / groups, k\) without a zero, got \(2, 3\)"):
        F.conv1d(dg.zeros(1, 2, 8), dg.zeros(2, 3))
