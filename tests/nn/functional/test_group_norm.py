"""Group, instance, root mean square and local response normalisation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
import distgrad.nn.functional as F


def draws(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def leaves(*arrays):
    return [dg.Tensor(a, requires_grad=True) for a in arrays]


def standardized(x, axes, eps):
    centred = x - x.mean(axes, keepdims=True)
    return centred / np.sqrt(x.var(axes, keepdims=True) + eps)


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    st.lists(st.integers(1, 3), max_size=3),
    st.booleans(),
)
def test_groups_by_the_formula(samples, groups, width, rest, affine):
    shape = (samples, groups * width, *rest)
    if np.prod(shape) == groups:
        return
    x, weight, bias = draws(*shape), draws(shape[1], seed=1), draws(shape[1], seed=2)
    rows = standardized(x.reshape(samples, groups, -1), (2,), 0.1).reshape(shape)
    beside = (-1, *(1,) * len(rest))
    expected = rows * weight.reshape(beside) + bias.reshape(beside) if affine else rows
    given = (dg.Tensor(weight), dg.Tensor(bias)) if affine else ()
    y = F.group_norm(dg.Tensor(x), groups, *given, eps=0.1)
    np.testing.assert_allclose(y.data, expected, rtol=1e-10, atol=1e-12)


def test_instances_by_the_formula():
    x = draws(2, 3, 4, 5)
    y = F.instance_norm(dg.Tensor(x), eps=0.1)
    np.testing.assert_allclose(y.data, standardized(x, (2, 3), 0.1), rtol=1e-11)
    y = F.group_norm(dg.Tensor(x), 3, eps=0.1)
    np.testing.assert_allclose(y.data, standardized(x, (2, 3), 0.1), rtol=1e-11)


def test_running_statistics_follow_the_means_over_the_batch():
    x, mean, var = draws(4, 3, 5), dg.Tensor(np.zeros(3)), dg.Tensor(np.ones(3))
    F.instance_norm(dg.Tensor(x), mean, var, momentum=0.25)
    np.testing.assert_allclose(mean.data, 0.25 * x.mean(2).mean(0), rtol=1e-12)
    np.testing.assert_allclose(var.data, 0.75 + 0.25 * x.var(2, ddof=1).mean(0), rtol=1e-12)
    before = mean.data.copy(), var.data.copy()
    y = F.instance_norm(dg.Tensor(x), mean, var, use_input_stats=False, eps=0.1)
    expected = (x - before[0][:, None]) / np.sqrt(before[1] + 0.1)[:, None]
    np.testing.assert_allclose(y.data, expected, rtol=1e-12)
    assert F.instance_norm(dg.zeros(0, 3, 2), dg.zeros(3), dg.ones(3)).shape == (0, 3, 2)
    np.testing.assert_array_equal(mean.data, before[0])


def test_root_mean_square_by_the_formula():
    x, weight = draws(2, 3, 4), draws(3, 4, seed=1)
    y = F.rms_norm(dg.Tensor(x), (3, 4), dg.Tensor(weight), eps=0.1)
    expected = x / np.sqrt((x**2).mean((1, 2), keepdims=True) + 0.1) * weight
    np.testing.assert_allclose(y.data, expected, rtol=1e-12)
    for dtype in (np.float32, np.float64):
        zeros = F.rms_norm(dg.zeros(1, 2, dtype=dtype), [2])
        assert (zeros.dtype, zeros.tolist()) == (dtype, [[0, 0]])


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("shape", [(2, 4, 3), (2, 4, 2, 3), (1, 3, 2, 1, 2)])
def test_neighbours_by_the_formula(shape, size):
    x = draws(*shape)
    near = np.zeros(shape)
    for channel in range(shape[1]):
        first = channel - size // 2
        near[:, channel] = (x[:, max(first, 0) : max(first + size, 0)] ** 2).sum(1) / size
    y = F.local_response_norm(dg.Tensor(x), size, 0.5, 0.6, 1.5)
    np.testing.assert_allclose(y.data, x / (1.5 + 0.5 * near) ** 0.6, rtol=1e-12)
    assert F.local_response_norm(dg.zeros(0, 2, 3), size).shape == (0, 2, 3)


CALLS = {
    "group": lambda x, w, b: F.group_norm(x, 2, w, b),
    "instance": lambda x, w, b: F.instance_norm(x, weight=w, bias=b),
    "running": lambda x, w, b: F.instance_norm(
        x, dg.ones(4, dtype=np.float64), 2 * dg.ones(4, dtype=np.float64), w, b, False
    ),
    "rms": lambda x, w, b: F.rms_norm(x, (3,), w[:3]) + b[0],
    "response": lambda x, w, b: F.local_response_norm(x, 3, 0.5) * w[0] + b[0],
}


@pytest.mark.parametrize("name", CALLS)
def test_gradients(name):
    inputs = leaves(draws(2, 4, 3), draws(4, seed=1), draws(4, seed=2))
    assert dg.autograd.gradcheck(CALLS[name], inputs)
    assert dg.autograd.gradgradcheck(CALLS[name], inputs)


@pytest.mark.parametrize("name", CALLS)
def test_float32_stays_float32(name):
    arrays = [a.astype(np.float32) for a in (draws(2, 4, 3), draws(4, seed=1), draws(4, seed=2))]
    if name != "running":
        assert CALLS[name](*map(dg.Tensor, arrays)).dtype == np.float32


X = dg.zeros(2, 4, 3)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (RuntimeError, r"must divide the 4 channels .* got 3", lambda: F.group_norm(X, 3)),
        (RuntimeError, r"must divide the 4 channels .* got 0", lambda: F.group_norm(X, 0)),
        (RuntimeError, r"shape \(N, C\) or .* got \(3,\)", lambda: F.group_norm(X[0, 0], 1)),
        (ValueError, "a group needs more than one value", lambda: F.group_norm(dg.ones(1, 4), 4)),
        (ValueError, r"weight must have shape \(4,\)", lambda: F.group_norm(X, 2, dg.ones(2))),
        (RuntimeError, "bias float64", lambda: F.group_norm(X, 2, None, dg.zeros(4).double())),
        (TypeError, "group_norm: the input must be", lambda: F.group_norm(X.long(), 2)),
        (ValueError, "channel of a sample needs more", lambda: F.instance_norm(X[:, :, :1])),
        (ValueError, "channel of a sample needs more", lambda: F.instance_norm(X[0])),
        (
            ValueError,
            "running_mean and running_var are needed with use_input_stats=False",
            lambda: F.instance_norm(X, use_input_stats=False),
        ),
        (ValueError, r"rms_norm: the last axes .* \(4,\)", lambda: F.rms_norm(X, (4,))),
        (ValueError, r"the last axes .* lengths \(\)", lambda: F.rms_norm(X, ())),
        (ValueError, r"weight must have shape \(3,\)", lambda: F.rms_norm(X, (3,), dg.ones(4))),
        (TypeError, "rms_norm: the input must be", lambda: F.rms_norm(X.long(), (3,))),
        (ValueError, r"\(N, C, ...\), got \(4, 3\)", lambda: F.local_response_norm(X[0], 2)),
        (ValueError, "size must be positive, got 0", lambda: F.local_response_norm(X, 0)),
    ],
)
def test_errors(error, message, call):
    with pytest.raises(error, match=message):
        call()
