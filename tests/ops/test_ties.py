"""Kinks, ties and edges, where a numeric difference means nothing: PyTorch's choices."""

import numpy as np
import pytest

import distgrad as dg


def gradient(function, *values: float) -> list[float]:
    x = dg.tensor(list(values), dtype=dg.float64, requires_grad=True)
    function(x).sum().backward()
    return x.grad.tolist()


def test_relu_at_zero() -> None:
    assert gradient(dg.relu, -1.0, 0.0, 1.0) == [0, 0, 1]


def test_relu_lets_no_infinite_gradient_through_where_it_is_flat() -> None:
    assert gradient(lambda x: dg.relu(x).sqrt(), -1.0, 4.0) == [0, 0.25]
    assert gradient(lambda x: dg.relu(x) * float("nan"), -1.0) == [0]


def test_absolute_value_at_zero() -> None:
    assert gradient(dg.abs, -2.0, 0.0, 2.0) == [-1, 0, 1]


def test_equal_maxima_share_the_gradient() -> None:
    assert gradient(dg.max, 3.0, 1.0, 3.0, 3.0) == [1 / 3, 0, 1 / 3, 1 / 3]


def test_equal_minima_share_the_gradient() -> None:
    assert gradient(dg.min, 1.0, 3.0, 1.0) == [0.5, 0, 0.5]
    x = dg.tensor([[2.0, 2.0, 5.0]], requires_grad=True)
    values, indices = dg.min(x, dim=1)
    values.sum().backward()
    assert indices.tolist() == [0]
    assert x.grad.tolist() == [[1, 0, 0]]


@pytest.mark.parametrize("function", [dg.maximum, dg.minimum])
def test_equal_operands_share_the_gradient(function) -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = dg.tensor([1.0, 3.0], requires_grad=True)
    function(x, y).sum().backward()
    assert x.grad.tolist() == [0.5, float(function is dg.minimum)]
    assert y.grad.tolist() == [0.5, float(function is dg.maximum)]


def test_clamp_at_its_bounds() -> None:
    assert gradient(lambda x: dg.clamp(x, -1, 1), -2.0, -1.0, 0.0, 1.0, 2.0) == [0, 1, 1, 1, 0]
    assert gradient(lambda b: dg.clamp(dg.tensor([0.0, 1.0]), min=b), 1.0, 1.0) == [1, 0]
    # Where the bounds cross the result is the upper one, and so is the gradient.
    assert dg.clamp(dg.tensor([0.0]), 2, 1).tolist() == [1]
    assert gradient(lambda b: dg.clamp(dg.tensor([0.0]), min=2.0, max=b), 1.0) == [1]
    assert gradient(lambda b: dg.clamp(dg.tensor([0.0]), min=b, max=1.0), 2.0) == [0]


def test_standard_deviation_of_equal_elements() -> None:
    assert gradient(dg.std, 2.0, 2.0, 2.0) == [0, 0, 0]


def test_along_an_axis_the_first_maximum_gets_the_gradient() -> None:
    x = dg.tensor([[2.0, 5.0, 5.0], [4.0, 4.0, 1.0]], requires_grad=True)
    values, indices = dg.max(x, dim=1)
    assert values.tolist() == [5, 4]
    assert indices.tolist() == [1, 0]
    values.sum().backward()
    assert x.grad.tolist() == [[0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize(("p", "expected"), [(1, 0), (2, 0), (3, 0), (1.5, 0), (np.inf, 0)])
def test_norm_of_the_zero_vector(p, expected) -> None:
    assert gradient(lambda x: dg.norm(x, p), 0.0, 0.0) == [expected, expected]
    assert dg.norm(dg.zeros(2), p).item() == 0


def test_infinity_norm_shares_among_equal_absolute_values() -> None:
    assert gradient(lambda x: dg.norm(x, np.inf), -2.0, 2.0, 1.0) == [-0.5, 0.5, 0]


def test_powers_of_zero() -> None:
    assert gradient(lambda x: x**2, 0.0) == [0]
    assert gradient(lambda x: x**1, 0.0) == [1]
    assert gradient(lambda x: x**0, 0.0, 2.0) == [0, 0]
    assert gradient(lambda x: x**0.5, 0.0) == [np.inf]
    exponents = dg.tensor([0.0, 1.0, 2.0], dtype=dg.float64)
    assert gradient(lambda x: x**exponents, 0.0, 0.0, 0.0) == [0, 1, 0]
    assert gradient(lambda n: 0.0**n, 1.0, 2.0) == [0, 0]


def test_power_of_zero_in_the_second_order() -> None:
    x = dg.tensor([0.0, 4.0], dtype=dg.float64, requires_grad=True)
    exponents = dg.tensor([2.0, 0.5], dtype=dg.float64)
    (slope,) = dg.autograd.grad((x**exponents).sum(), x, create_graph=True)
    (curvature,) = dg.autograd.grad(slope.sum(), x)
    assert slope.tolist() == [0, 0.25]
    assert curvature.tolist() == [2, -1 / 32]


def test_conversion_gives_the_gradient_its_inputs_type() -> None:
    x = dg.tensor([0.1, 0.2], dtype=dg.float64, requires_grad=True)
    y = x.to(dg.float32)
    assert y.dtype == dg.float32
    (y * 3).sum().backward()
    assert x.grad.dtype == dg.float64
    assert x.grad.tolist() == [3, 3]
    assert not x.to(dg.int64).requires_grad


def test_mean_of_nothing_is_nan() -> None:
    assert np.isnan(dg.zeros(0).mean().item())
    assert np.isnan(dg.zeros(2, 0).mean(dim=1).data).all()
    assert dg.zeros(2, 0).sum(dim=1).tolist() == [0, 0]


def test_repeated_indices_add_up() -> None:
    x = dg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for index in ([0, 0, 2], np.array([0, 0, 2]), dg.tensor([0, 0, 2]), ((0, 0, 2),)):
        x.grad = None
        (x[index] * dg.tensor([1.0, 10.0, 100.0])).sum().backward()
        assert x.grad.tolist() == [11, 0, 100]


NAN, INF = float("nan"), float("inf")


def test_signs() -> None:
    assert dg.sign(dg.tensor([-INF, -0.0, NAN, 2.0])).tolist() == [-1, 0, 0, 1]
    assert gradient(dg.abs, NAN) == [0]
    y = dg.tensor([-1.0, 1.0, -0.0])
    assert gradient(lambda x: dg.copysign(x, y), 2.0, -2.0, 0.0) == [-1, -1, 0]


@pytest.mark.parametrize("function", [dg.fmax, dg.fmin])
def test_of_equal_operands_the_first_gets_the_gradient(function) -> None:
    x = dg.tensor([1.0, NAN, 2.0], requires_grad=True)
    y = dg.tensor([1.0, 3.0, NAN], requires_grad=True)
    assert function(x, y).tolist() == [1, 3, 2]
    function(x, y).sum().backward()
    assert x.grad.tolist() == [1, 0, 1]
    assert y.grad.tolist() == [0, 1, 0]


def test_next_to_nan_both_operands_get_the_gradient_of_a_maximum() -> None:
    assert gradient(lambda x: dg.maximum(x, dg.tensor([NAN])), 1.0) == [1]
    assert gradient(lambda x: dg.maximum(x, dg.tensor([1.0])), NAN) == [1]


def test_steps_are_flat() -> None:
    for function in (dg.floor, dg.ceil, dg.round, dg.trunc, dg.sign):
        assert gradient(function, 0.0, 1.0, 0.5, -0.5) == [0, 0, 0, 0]
    assert gradient(dg.frac, 0.0, 1.0) == [1, 1]
    assert dg.round(dg.tensor([0.5, 1.5, 2.5, -0.5])).tolist() == [0, 2, 2, 0]


def test_activations_at_their_kinks() -> None:
    f = dg.nn.functional
    assert gradient(f.leaky_relu, 0.0) == [0.01]
    assert gradient(f.elu, 0.0) == [1]
    assert gradient(f.hardtanh, -1.0, 0.0, 1.0) == [0, 1, 0]
    assert gradient(f.relu6, 0.0, 6.0) == [0, 0]
    assert gradient(f.hardsigmoid, -3.0, 3.0) == [0, 0]
    assert gradient(f.hardswish, -3.0, 3.0) == [0, 1]
    assert gradient(f.hardshrink, -0.5, 0.5) == [0, 0]
    assert gradient(f.softshrink, -0.5, 0.5) == [0, 0]
    assert gradient(lambda x: f.threshold(x, 1.0, 0.0), 1.0, 2.0) == [0, 1]
    assert gradient(lambda x: f.prelu(x, dg.tensor([0.25]).double()), 0.0) == [0.25]


def test_products_with_zeros() -> None:
    assert gradient(dg.prod, 2.0, 0.0, 3.0) == [0, 6, 0]
    assert gradient(dg.prod, 0.0, 0.0, 3.0) == [0, 0, 0]
    assert gradient(lambda x: dg.cumprod(x, 0), 2.0, 0.0, 3.0) == [1, 8, 0]


def test_infinite_scores_of_a_running_logarithm() -> None:
    x = dg.tensor([-INF, 0.0, -INF, 0.0], requires_grad=True)
    y = dg.logcumsumexp(x, 0)
    np.testing.assert_allclose(y.data, [-INF, 0, 0, np.log(2)], rtol=1e-6)
    y[1:].sum().backward()
    np.testing.assert_allclose(x.grad.data, [0, 2.5, 0, 0.5])


def test_running_extremes_take_the_last_of_equals() -> None:
    values, indices = dg.cummax(dg.tensor([1.0, 3.0, 3.0, NAN, 2.0]), 0)
    np.testing.assert_array_equal(values.data, [1, 3, 3, NAN, NAN])
    assert indices.tolist() == [0, 1, 2, 3, 3]


def test_the_median_is_the_lower_one_of_two() -> None:
    assert dg.median(dg.tensor([4.0, 1.0, 3.0, 2.0])).item() == 2
    assert np.isnan(dg.median(dg.tensor([1.0, NAN, 0.0])).item())
    assert gradient(dg.median, 2.0, 1.0, 2.0, 3.0) == [0.5, 0, 0.5, 0]
