"""The torch-named functions: values by NumPy, and everything by PyTorch where it is installed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg

UNARY = {
    "neg": (dg.neg, np.negative),
    "abs": (dg.abs, np.abs),
    "exp": (dg.exp, np.exp),
    "log": (dg.log, np.log),
    "sqrt": (dg.sqrt, np.sqrt),
    "tanh": (dg.tanh, np.tanh),
    "relu": (dg.relu, lambda x: np.maximum(x, 0)),
    "isfinite": (dg.isfinite, np.isfinite),
}
X = np.array([[0.5, 1.0, 2.0], [0.1, 3.0, 0.7]])


@pytest.mark.parametrize("name", UNARY)
def test_unary(name) -> None:
    function, reference = UNARY[name]
    for values in (dg.Tensor(X), X):
        np.testing.assert_allclose(function(values).data, reference(X), rtol=1e-15)
    assert function(2.0).item() == pytest.approx(reference(2.0), rel=1e-6)


def test_binary() -> None:
    x = dg.Tensor(X)
    np.testing.assert_array_equal(dg.add(x, 2).data, X + 2)
    np.testing.assert_array_equal(dg.add(x, x, alpha=3).data, X + 3 * X)
    np.testing.assert_array_equal(dg.sub(x, X, alpha=2).data, X - 2 * X)
    np.testing.assert_array_equal(dg.mul(2, x).data, 2 * X)
    np.testing.assert_array_equal(dg.div(1, x).data, 1 / X)
    np.testing.assert_array_equal(dg.pow(x, 3).data, X * X * X)
    np.testing.assert_allclose(dg.pow(2, x).data, 2**X, rtol=1e-15)
    np.testing.assert_allclose(dg.pow(x, x).data, X**X, rtol=1e-15)
    assert dg.pow(2, 3).item() == 8
    assert dg.pow(np.array([1, 2]), 2).tolist() == [1, 4]


@pytest.mark.parametrize("function", [dg.add, dg.sub, dg.mul, dg.div, dg.pow])
def test_binary_refuses_what_is_no_number(function) -> None:
    with pytest.raises(TypeError, match=r"takes Tensors, arrays and numbers, got Tensor and str"):
        function(dg.ones(2), "x")


def test_reductions_and_shapes() -> None:
    x = dg.Tensor(X)
    np.testing.assert_allclose(dg.sum(x, 1).data, X.sum(1))
    np.testing.assert_allclose(dg.sum(x, (0, 1), keepdim=True).data, X.sum(keepdims=True))
    np.testing.assert_allclose(dg.mean(x, dim=0, keepdim=True).data, X.mean(0, keepdims=True))
    assert dg.max(x).item() == 3
    assert dg.max(x, 1).indices.tolist() == [2, 1]
    assert dg.argmax(x).item() == 4
    assert dg.argmax(x, dim=1, keepdim=True).tolist() == [[2], [1]]
    assert dg.all(x > 0).item()
    assert dg.any(x > 2, dim=1).tolist() == [False, True]
    assert dg.reshape(x, (3, 2)).shape == (3, 2)
    assert dg.flatten(x).shape == (6,)
    assert dg.transpose(x, 0, 1).shape == (3, 2)
    np.testing.assert_allclose(dg.matmul(x, x.T).data, X @ X.T)
    assert dg.dot(x[0], x[1]).item() == pytest.approx(X[0] @ X[1])


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, np.inf])
@pytest.mark.parametrize("dim", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_norm(p, dim, keepdim) -> None:
    signed = X * [[1], [-1]]
    x = dg.Tensor(signed, requires_grad=True)
    if p == np.inf:
        expected = np.abs(X).max(axis=dim, keepdims=keepdim)
    else:
        expected = (np.abs(X) ** p).sum(axis=dim, keepdims=keepdim) ** (1 / p)
    result = dg.norm(x, p, dim, keepdim)
    np.testing.assert_allclose(result.data, expected, rtol=1e-14)
    assert dg.autograd.gradcheck(lambda x: dg.norm(x, p, dim, keepdim), x)


def test_norm_refuses() -> None:
    with pytest.raises(ValueError, match=r"defined for p >= 1, got p=0\.5"):
        dg.norm(dg.ones(2), 0.5)


# Against PyTorch, on random expressions

STEPS = {
    "add": lambda m, x, y: x + y,
    "sub": lambda m, x, y: x - 0.5 * y,
    "mul": lambda m, x, y: x * y,
    "div": lambda m, x, y: x / (2 + y * y),
    "tanh": lambda m, x, y: m.tanh(x),
    "exp": lambda m, x, y: m.exp(-x * x),
    "log": lambda m, x, y: m.log(1 + x * x),
    "sqrt": lambda m, x, y: m.sqrt(1 + x * x),
    "pow": lambda m, x, y: (1 + x * x) ** 1.5 / 3,
    "matmul": lambda m, x, y: m.matmul(x, m.transpose(y, 0, 1)) @ x / 4,
    "mean": lambda m, x, y: x - m.mean(x, 1, True),
    "sum": lambda m, x, y: x * m.sum(y, 0) / 3,
    "norm": lambda m, x, y: x / (1 + m.norm(y)),
    "index": lambda m, x, y: x * y[:, [2, 0, 0]],
    "slice": lambda m, x, y: x + y[1:2, ::1],
    "reshape": lambda m, x, y: m.reshape(m.reshape(x, (6,)) * m.reshape(y, (6,)), (2, 3)),
    "relu": lambda m, x, y: m.relu(x) * y,
    "max": lambda m, x, y: x * m.max(y),
}


def evaluate(m, steps, x, y, grad):
    """The value, first and second gradients of one expression, in either library."""
    a, b = x, y
    for name in steps:
        a, b = STEPS[name](m, a, b), a
    value = (a * b).sum() + a.mean()
    first = grad(value, [x, y], create_graph=True, allow_unused=True)
    squares = sum((g * g).sum() for g in first if g is not None)
    if not squares.requires_grad:
        return value, first, (None, None)
    return value, first, grad(squares, [x, y], allow_unused=True)


@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=6), st.integers(0, 99))
def test_random_expressions_agree_with_pytorch(steps, seed) -> None:
    torch = pytest.importorskip("torch")
    x, y = np.random.default_rng(seed).standard_normal((2, 2, 3))
    ours = evaluate(
        dg,
        steps,
        dg.tensor(x, requires_grad=True),
        dg.tensor(y, requires_grad=True),
        dg.autograd.grad,
    )
    theirs = evaluate(
        torch,
        steps,
        torch.tensor(x, requires_grad=True),
        torch.tensor(y, requires_grad=True),
        torch.autograd.grad,
    )
    np.testing.assert_allclose(ours[0].item(), theirs[0].item(), rtol=1e-10, atol=1e-12)
    for mine, other in zip((*ours[1], *ours[2]), (*theirs[1], *theirs[2]), strict=True):
        # One library may know that a gradient is zero where the other computes the zeros.
        a = np.zeros((2, 3)) if mine is None else mine.data
        b = np.zeros((2, 3)) if other is None else other.detach().numpy()
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9 * max(1, np.abs(b).max()))


@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4), st.integers(0, 99))
def test_random_expressions_agree_with_differences(steps, seed) -> None:
    generator = np.random.default_rng(seed)
    x, y = generator.standard_normal((2, 2, 3))

    def value(x: np.ndarray, y: np.ndarray) -> tuple[dg.Tensor, list[dg.Tensor]]:
        leaves = [dg.tensor(x, requires_grad=True), dg.tensor(y, requires_grad=True)]
        a, b = leaves
        for name in steps:
            a, b = STEPS[name](dg, a, b), a
        return (a * b).sum(), leaves

    result, leaves = value(x, y)
    gradients = dg.autograd.grad(result, leaves, allow_unused=True)
    v, w = generator.standard_normal((2, 2, 3))
    h = 1e-6
    numeric = (value(x + h * v, y + h * w)[0] - value(x - h * v, y - h * w)[0]).item() / (2 * h)
    analytic = sum(
        (g.data * d).sum() for g, d in zip(gradients, (v, w), strict=True) if g is not None
    )
    np.testing.assert_allclose(analytic, numeric, rtol=1e-4, atol=1e-4)
