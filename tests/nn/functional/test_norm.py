"""Layer and batch normalisation: values and gradients of every order, PyTorch's, and errors."""

import numpy as np
import pytest
from helpers import emulator
from helpers.device_with_kernels import device_with_kernels
from helpers.halves import PRECISIONS, half

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import ops
from distgrad.ops.norm import moments
from distgrad.tensor import apply


def leaf(array, dtype=np.float64):
    return dg.Tensor(np.array(array, dtype), requires_grad=True)


def draws(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


BATCHES = [(4, 3), (4, 3, 5), (2, 3, 4, 5)]
SAMPLES = [((4, 3), (3,)), ((2, 4, 3), (3,)), ((2, 4, 3), (4, 3)), ((3,), (3,))]


def test_layer_norm_by_its_formula():
    x, weight, bias = draws(5, 2, 3), draws(2, 3, seed=1), draws(2, 3, seed=2)
    mean = x.mean(axis=(1, 2), keepdims=True)
    var = ((x - mean) ** 2).mean(axis=(1, 2), keepdims=True)
    expected = (x - mean) / np.sqrt(var + 0.01) * weight + bias
    found = F.layer_norm(dg.Tensor(x), (2, 3), dg.Tensor(weight), dg.Tensor(bias), eps=0.01)
    np.testing.assert_allclose(found.data, expected, rtol=1e-13)


@pytest.mark.parametrize("shape", BATCHES)
def test_batch_norm_by_its_formula(shape):
    x, weight, bias = draws(*shape), draws(3, seed=1), draws(3, seed=2)
    for channel in range(3):
        part = x[:, channel]
        expected = (part - part.mean()) / np.sqrt(part.var() + 1e-5) * weight[channel]
        found = F.batch_norm(
            dg.Tensor(x), None, None, dg.Tensor(weight), dg.Tensor(bias), training=True
        )
        np.testing.assert_allclose(found.data[:, channel], expected + bias[channel], rtol=1e-12)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", BATCHES)
def test_gradients_of_batch_norm(shape, training):
    inputs = leaf(draws(*shape)), leaf(draws(3, seed=1)), leaf(draws(3, seed=2))
    running = dg.Tensor(draws(3, seed=3)), dg.Tensor(draws(3, seed=4) ** 2 + 0.5)

    def run(x, weight, bias):
        statistics = (None, None) if training else running
        return F.batch_norm(x, *statistics, weight, bias, training, eps=0.1)

    assert dg.autograd.gradcheck(run, inputs)
    if len(shape) < 4:
        assert dg.autograd.gradgradcheck(run, inputs)


def numbers(tensor):
    return tensor.detach().numpy()


def chain_of_gradients(grad, y, inputs, probes):
    """y, its gradient by the first input, that one's by the second, and so on."""
    chain = [y]
    for order, probe in enumerate(probes):
        target = inputs[order % len(inputs)]
        (gradient,) = grad((chain[-1] * probe).sum(), [target], create_graph=True)
        chain.append(gradient)
    return [numbers(gradient) for gradient in chain]


def of_each_sample(functional, x, weight):
    return functional.layer_norm(x, (3, 2), weight, None, 0.1)


def of_each_channel(functional, x, weight):
    return functional.batch_norm(x, None, None, weight, None, True, 0.1, 0.1)


KINDS = [(of_each_sample, (1, 2), (3, 2)), (of_each_channel, (0, 2), (3,))]


@pytest.mark.parametrize(("run", "axes", "weight_shape"), KINDS)
def test_the_first_four_derivatives_are_those_of_elementary_operations(run, axes, weight_shape):
    x, weight = leaf(draws(4, 3, 2)), leaf(draws(*weight_shape, seed=1))
    inputs = [x, x, weight, x]
    probes = [dg.Tensor(draws(*i.shape, seed=2 + n)) for n, i in enumerate([x, *inputs[:3]])]
    beside = weight_shape if len(weight_shape) == 2 else (3, 1)
    distance = x - x.mean(axes, keepdim=True)
    variance = (distance * distance).mean(axes, keepdim=True)
    elementary = distance / (variance + 0.1).sqrt() * weight.reshape(beside)
    expected = chain_of_gradients(dg.autograd.grad, elementary, inputs, probes)
    found = chain_of_gradients(dg.autograd.grad, run(F, x, weight), inputs, probes)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("run", "axes", "weight_shape"), KINDS)
def test_the_first_two_derivatives_are_pytorchs(run, axes, weight_shape):
    # In PyTorch 2.13 the third one by the input is not that of the formula.
    torch = pytest.importorskip("torch")
    arrays = draws(4, 3, 2), draws(*weight_shape, seed=1)
    own = [leaf(a) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    for first in (0, 1):
        inputs, their_inputs = own[first:] + own[:first], theirs[first:] + theirs[:first]
        probes = draws(4, 3, 2, seed=2), draws(*inputs[0].shape, seed=4)
        found = chain_of_gradients(
            dg.autograd.grad, run(F, *own), inputs, [dg.Tensor(p) for p in probes]
        )
        expected = chain_of_gradients(
            torch.autograd.grad,
            run(torch.nn.functional, *theirs),
            their_inputs,
            [torch.tensor(p) for p in probes],
        )
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("shape", "normalized"), SAMPLES)
@pytest.mark.parametrize("affine", ["both", "weight", "neither"])
def test_layer_norm_is_pytorchs(shape, normalized, affine):
    torch = pytest.importorskip("torch")
    arrays = [draws(*shape), draws(*normalized, seed=1), draws(*normalized, seed=2)]
    own = [leaf(a, np.float32) for a in arrays]
    theirs = [torch.tensor(a, dtype=torch.float32, requires_grad=True) for a in arrays]
    given = {"both": 3, "weight": 2, "neither": 1}[affine]
    y = F.layer_norm(own[0], normalized, *own[1:given])
    expected = torch.nn.functional.layer_norm(theirs[0], normalized, *theirs[1:given])
    assert y.dtype == np.float32
    np.testing.assert_allclose(numbers(y), numbers(expected), rtol=1e-5, atol=1e-6)
    (y**3).sum().backward()
    (expected**3).sum().backward()
    for a, b in zip(own[:given], theirs[:given], strict=True):
        np.testing.assert_allclose(numbers(a.grad), numbers(b.grad), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", BATCHES)
def test_batch_norm_is_pytorchs(shape, training):
    torch = pytest.importorskip("torch")
    arrays = [draws(*shape), draws(3, seed=1), draws(3, seed=2)]
    statistics = [draws(3, seed=3), draws(3, seed=4) ** 2 + 0.5]
    own, running = [leaf(a) for a in arrays], [dg.Tensor(a.copy()) for a in statistics]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    their_running = [torch.tensor(a) for a in statistics]
    y = F.batch_norm(own[0], *running, *own[1:], training=training, momentum=0.3)
    expected = torch.nn.functional.batch_norm(
        theirs[0], *their_running, *theirs[1:], training=training, momentum=0.3
    )
    np.testing.assert_allclose(numbers(y), numbers(expected), rtol=1e-12, atol=1e-13)
    (y**3).sum().backward()
    (expected**3).sum().backward()
    for a, b in zip(own, theirs, strict=True):
        np.testing.assert_allclose(numbers(a.grad), numbers(b.grad), rtol=1e-10, atol=1e-11)
    for a, b in zip(running, their_running, strict=True):
        np.testing.assert_allclose(a.data, numbers(b), rtol=1e-14)


def test_a_large_mean_costs_no_digits():
    x = (1000 + draws(4096, 2)).astype(np.float32)
    y = F.batch_norm(dg.Tensor(x), None, None, training=True).data
    exact = x.astype(np.float64)
    expected = (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-5)
    assert y.dtype == np.float32
    assert np.abs(y - expected).max() < 1e-4
    rows = F.layer_norm(dg.Tensor(x.T.copy()), (4096,)).data
    assert np.abs(rows.T - expected).max() < 1e-4


def test_sums_over_many_rows_round_little():
    x = (3 + draws(2**18, 3)).astype(np.float32)
    mean, variance = moments(np, x, (0,))
    np.testing.assert_allclose(mean[0], x.mean(0, dtype=np.float64), rtol=1.3e-7)  # one rounding
    np.testing.assert_allclose(variance[0], x.var(0, dtype=np.float64), rtol=1e-6)


@pytest.mark.parametrize(("shape", "axes"), [((4, 3, 2, 5), (0, 2, 3)), ((4, 6, 5), (1, 2))])
def test_the_bits_do_not_depend_on_the_strides(shape, axes):
    x, above = draws(*shape).astype(np.float32), draws(*shape, seed=1).astype(np.float32)
    weight = draws(*(shape[a] for a in axes) if axes[0] else shape[1:2]).astype(np.float32)

    def run(reorder):
        leaves = leaf(reorder(x), np.float32), leaf(weight, np.float32)
        leaves[0].data = reorder(x)
        y = apply(ops.normalize, *leaves, None, axes=axes, eps=1e-5)
        y.backward(dg.Tensor(reorder(above)))
        return [a.tobytes() for a in (y.data, leaves[0].grad.data, leaves[1].grad.data)]

    plain = run(lambda a: a)
    assert run(lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1)) == plain
    assert run(np.asfortranarray) == plain


def test_images_keep_channels_last_memory():
    x = np.moveaxis(draws(2, 4, 5, 3), -1, 1)
    y = F.batch_norm(dg.Tensor(x), None, None, training=True)
    assert np.moveaxis(y.data, 1, -1).flags.c_contiguous


def test_statistics_that_are_given_are_those_that_would_be_computed():
    x, weight = leaf(draws(4, 3)), leaf(draws(3, seed=1))
    results = []
    for statistics in (None, moments(np, x.data, (0,))):
        y = apply(ops.normalize, x, weight, None, axes=(0,), eps=0.1, statistics=statistics)
        results.append([y, *dg.autograd.grad((y**3).sum(), [x, weight])])
    for a, b in zip(*results, strict=True):
        assert a.data.tobytes() == b.data.tobytes()


def test_training_moves_the_running_statistics():
    x, mean, var = np.array([[1.0], [3.0]]), np.array([10.0]), np.array([1.0])
    F.batch_norm(dg.Tensor(x), dg.Tensor(mean), dg.Tensor(var), training=True, momentum=0.5)
    assert (mean.tolist(), var.tolist()) == ([6.0], [1.5])  # the unbiased variance is 2


@pytest.mark.parametrize("precision", PRECISIONS)
def test_running_statistics_beside_16_bits(precision):
    """They are of the input's type, or in float32; either way the result is rounded once."""
    x, weight = (draws(*shape).astype(half(precision)) for shape in ((4, 3), (3,)))
    mean, variance = draws(3, seed=2).astype(np.float32), np.float32([0.5, 1, 2])
    wide = (dg.Tensor(a) for a in (x.astype(np.float32), mean, variance, weight.astype(np.float32)))
    expected = F.batch_norm(*wide).data.astype(half(precision))
    found = F.batch_norm(*map(dg.Tensor, (x, mean, variance, weight)))
    assert found.dtype == half(precision)
    np.testing.assert_array_equal(found.data, expected)
    narrow = F.batch_norm(*(dg.Tensor(a.astype(x.dtype)) for a in (x, mean, variance, weight)))
    assert narrow.dtype == half(precision)
    difference = narrow.data.astype(np.float32) - expected.astype(np.float32)
    assert np.abs(difference).max() < 0.05
    with pytest.raises(RuntimeError, match="and the running_var float64; convert with"):
        F.batch_norm(*map(dg.Tensor, (x, mean, variance.astype(np.float64))))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_running_statistics_beside_16_bits_are_pytorchs(precision):
    torch = pytest.importorskip("torch")
    x, mean = draws(4, 3).astype(half(precision)), np.float32([0.5, 1, 2])
    found = F.batch_norm(dg.Tensor(x), dg.Tensor(mean), dg.Tensor(mean)).float().numpy()
    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    theirs = torch.tensor(x.astype(np.float32)).to(dtype)
    mean = torch.tensor(mean)
    expected = torch.nn.functional.batch_norm(theirs, mean, mean).float().numpy()
    np.testing.assert_allclose(found, expected, rtol=2 * float(dg.finfo(half(precision)).eps))


@pytest.mark.parametrize("precision", ["fp32", *PRECISIONS])
def test_rms_norm_adds_no_more_in_16_bits_than_in_float32(precision):
    x = dg.tensor([[0.01, 0.02]])
    x = x if precision == "fp32" else x.to(half(precision))
    found = F.rms_norm(x, (2,)).float().numpy()
    np.testing.assert_allclose(found, [[0.6323, 1.2646]], rtol=3e-3)


@pytest.mark.skipif(not emulator.available(), reason="no g++ here to run CUDA C on the host")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_kernels_for_gpus_take_16_bits_as_they_are(precision):
    x, weight = (draws(*shape).astype(half(precision)) for shape in ((6, 8), (8,)))
    for norm in (F.layer_norm, F.rms_norm):
        expected = norm(dg.Tensor(x), (8,), dg.Tensor(weight)).float().numpy()
        with device_with_kernels() as graphs:
            there = [dg.Tensor(a).cuda().requires_grad_() for a in (x, weight)]
            found = norm(there[0], (8,), there[1])
            assert graphs.launched == 1
            names = {found.grad_fn.name, *(edge.name for edge in found.grad_fn.edges)}
            assert "astype" not in names
            found = found.detach().cpu().float().numpy()
        digits = float(dg.finfo(half(precision)).eps)
        np.testing.assert_allclose(found, expected, rtol=2 * digits, atol=digits)


def test_errors():
    x = dg.zeros(2, 3)
    with pytest.raises(ValueError, match=r"layer_norm: the last axes .* \(4,\), got .* \(2, 3\)"):
        F.layer_norm(x, (4,))
    with pytest.raises(
        ValueError, match=r"input of shape \(2, 3\) the bias must have shape \(3,\)"
    ):
        F.layer_norm(x, (3,), None, dg.zeros(2))
    with pytest.raises(RuntimeError, match=r"the input has float32 and the weight float64"):
        F.layer_norm(x, (3,), dg.ones(3, dtype=dg.float64))
    with pytest.raises(TypeError, match="layer_norm: the input must be of floating-point type"):
        F.layer_norm(dg.arange(3), (3,))
    with pytest.raises(ValueError, match=r"must have shape \(N, C\) or \(N, C, ...\), got \(3,\)"):
        F.batch_norm(dg.zeros(3), None, None, training=True)
    for shape in [(1, 3), (1, 3, 1, 1)]:
        with pytest.raises(ValueError, match=r"more than one value, .* use larger micro-batches"):
            F.batch_norm(dg.zeros(shape), None, None, training=True)
    for eps, training in [(0.0, True), (-1e-5, False)]:
        with pytest.raises(ValueError, match=f"eps must .* got {eps}"):
            F.batch_norm(x, dg.zeros(3), dg.ones(3), training=training, eps=eps)
    with pytest.raises(ValueError, match="outside training running_mean and running_var"):
        F.batch_norm(x, None, None)
    with pytest.raises(ValueError, match=r"the running_var must have shape \(3,\), got \(2,\)"):
        F.batch_norm(x, dg.zeros(3), dg.zeros(2))
    with pytest.raises(TypeError, match="batch_norm: the input must be of floating-point type"):
        F.batch_norm(dg.ones(2, 3, dtype=dg.int64), None, None, training=True)


def test_an_empty_batch_moves_no_statistics():
    mean, var = dg.zeros(3), dg.ones(3)
    for shape in [(0, 3), (2, 3, 0)]:
        assert F.batch_norm(dg.zeros(shape), mean, var, training=True).shape == shape
    assert (mean.tolist(), var.tolist()) == ([0] * 3, [1] * 3)
    assert F.batch_norm(dg.zeros(0), dg.zeros(0), dg.ones(0)).shape == (0,)
