"""The torch-named functions: values by NumPy, and everything by PyTorch where it is installed."""

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.nn import functional as F

UNARY = {
    "neg": (dg.neg, np.negative),
    "abs": (dg.abs, np.abs),
    "acos": (dg.acos, np.arccos),
    "asin": (dg.asin, np.arcsin),
    "atan": (dg.atan, np.arctan),
    "ceil": (dg.ceil, np.ceil),
    "cos": (dg.cos, np.cos),
    "cosh": (dg.cosh, np.cosh),
    "erf": (dg.erf, scipy.special.erf),
    "erfc": (dg.erfc, scipy.special.erfc),
    "exp": (dg.exp, np.exp),
    "exp2": (dg.exp2, np.exp2),
    "expm1": (dg.expm1, np.expm1),
    "floor": (dg.floor, np.floor),
    "frac": (dg.frac, lambda x: np.modf(x)[0]),
    "isfinite": (dg.isfinite, np.isfinite),
    "isinf": (dg.isinf, np.isinf),
    "isnan": (dg.isnan, np.isnan),
    "log": (dg.log, np.log),
    "log10": (dg.log10, np.log10),
    "log1p": (dg.log1p, np.log1p),
    "log2": (dg.log2, np.log2),
    "logical_not": (dg.logical_not, np.logical_not),
    "nan_to_num": (dg.nan_to_num, np.nan_to_num),
    "reciprocal": (dg.reciprocal, np.reciprocal),
    "relu": (dg.relu, lambda x: np.maximum(x, 0)),
    "round": (dg.round, np.round),
    "rsqrt": (dg.rsqrt, lambda x: 1 / np.sqrt(x)),
    "sigmoid": (dg.sigmoid, scipy.special.expit),
    "sign": (dg.sign, np.sign),
    "sin": (dg.sin, np.sin),
    "sinh": (dg.sinh, np.sinh),
    "sqrt": (dg.sqrt, np.sqrt),
    "square": (dg.square, np.square),
    "tan": (dg.tan, np.tan),
    "tanh": (dg.tanh, np.tanh),
    "trunc": (dg.trunc, np.trunc),
}
WITHIN_ONE = ("acos", "asin")
X = np.array([[0.5, 1.0, 2.0], [0.1, 3.0, 0.7]])


@pytest.mark.parametrize("name", UNARY)
def test_unary(name) -> None:
    function, reference = UNARY[name]
    x = X / 4 if name in WITHIN_ONE else X
    for values in (dg.Tensor(x), x):
        np.testing.assert_allclose(function(values).data, reference(x), rtol=1e-14)
    np.testing.assert_array_equal(getattr(dg.Tensor(x), name)().data, function(x).data)
    assert function(0.75).item() == pytest.approx(reference(0.75), rel=1e-6)


BINARY = {
    "atan2": np.arctan2,
    "copysign": np.copysign,
    "eq": np.equal,
    "floor_divide": np.floor_divide,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "fmod": np.fmod,
    "ge": np.greater_equal,
    "gt": np.greater,
    "hypot": np.hypot,
    "isclose": np.isclose,
    "le": np.less_equal,
    "logaddexp": np.logaddexp,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "lt": np.less,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "ne": np.not_equal,
    "remainder": np.remainder,
    "true_divide": np.true_divide,
    "xlogy": scipy.special.xlogy,
}


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two(name) -> None:
    y = X[:, ::-1] * [1, 1, 0.3]
    result = getattr(dg, name)(X, dg.Tensor(y))
    np.testing.assert_allclose(result.data, BINARY[name](X, y), rtol=1e-14)
    np.testing.assert_array_equal(getattr(dg.Tensor(X), name)(dg.Tensor(y)).data, result.data)


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
    assert dg.min(x).item() == 0.1
    assert dg.min(x, 1).values.tolist() == [0.5, 0.1]
    assert dg.argmin(x).item() == 3
    np.testing.assert_allclose(dg.var(x, 0, keepdim=True).data, X.var(0, ddof=1, keepdims=True))
    np.testing.assert_allclose(dg.std(x, correction=0).data, X.std())
    np.testing.assert_allclose(dg.logsumexp(x, (0, 1)).data, np.log(np.exp(X).sum()))
    np.testing.assert_allclose(dg.softmax(x, 0).data, np.exp(X) / np.exp(X).sum(0))
    np.testing.assert_allclose(dg.log_softmax(x, 0).data, np.log(np.exp(X) / np.exp(X).sum(0)))
    np.testing.assert_allclose(dg.prod(x, 1).data, X.prod(1))
    np.testing.assert_allclose(dg.cumsum(x, 1).data, X.cumsum(1))
    np.testing.assert_allclose(dg.cumprod(x, 0).data, X.cumprod(0))
    np.testing.assert_allclose(dg.logcumsumexp(x, 0).data, np.logaddexp.accumulate(X))
    np.testing.assert_array_equal(dg.cummax(x, 1).values.data, np.maximum.accumulate(X, 1))
    assert dg.cummin(x, 1).indices.tolist() == [[0, 0, 0], [0, 0, 0]]
    np.testing.assert_array_equal(dg.amax(x, (0, 1)).data, X.max())
    np.testing.assert_array_equal(dg.amin(x, 0).data, X.min(0))
    assert dg.median(x).item() == 0.7
    assert dg.median(x, 1).values.tolist() == [1.0, 0.7]
    assert dg.trace(x).item() == 0.5 + 3
    holes = np.where(X == 3, np.nan, X)
    np.testing.assert_allclose(dg.nansum(holes, 0).data, np.nansum(holes, 0))
    np.testing.assert_allclose(dg.nanmean(holes, 0).data, np.nanmean(holes, 0))
    for name, spread in (("var_mean", X.var(1, ddof=1)), ("std_mean", X.std(1, ddof=1))):
        found = getattr(dg, name)(x, 1)
        np.testing.assert_allclose(found[0].data, spread)
        np.testing.assert_allclose(found[1].data, X.mean(1))
    for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        value = dg.linalg.norm(x, order).item()
        np.testing.assert_allclose(value, np.linalg.norm(X, order), rtol=1e-14)
    assert dg.argmax(x).item() == 4
    assert dg.argmax(x, dim=1, keepdim=True).tolist() == [[2], [1]]
    assert dg.all(x > 0).item()
    assert dg.any(x > 2, dim=1).tolist() == [False, True]
    assert dg.reshape(x, (3, 2)).shape == (3, 2)
    assert dg.flatten(x).shape == (6,)
    assert dg.transpose(x, 0, 1).shape == dg.permute(x, (1, 0)).shape == (3, 2)
    assert dg.squeeze(dg.unsqueeze(x, 1)).shape == dg.squeeze(dg.unsqueeze(x, 1), 1).shape == (2, 3)
    np.testing.assert_allclose(dg.einsum("ij,kj->ik", x, X).data, X @ X.T)
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


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (RuntimeError, "takes a floating-point tensor, not int64", lambda x: dg.norm(x.long())),
        (RuntimeError, "order inf needs elements", lambda x: dg.linalg.vector_norm(x[:0], np.inf)),
        (TypeError, "ord must be a number", lambda x: dg.linalg.vector_norm(x, "fro")),
        (RuntimeError, "reduce two axes, got dim=0", lambda x: dg.linalg.matrix_norm(x, dim=0)),
        (RuntimeError, "got 3", lambda x: dg.linalg.matrix_norm(x, 3)),
        (RuntimeError, "one axis or two, got 3", lambda x: dg.linalg.norm(x[None], 1)),
    ],
)
def test_norms_refuse(error, message, call) -> None:
    with pytest.raises(error, match=message):
        call(dg.ones(2, 2))


# Choices, joins, parts


def test_choices() -> None:
    x, y = dg.Tensor(X), dg.Tensor(X[:, ::-1].copy())
    np.testing.assert_array_equal(dg.maximum(x, y).data, np.maximum(x.data, y.data))
    np.testing.assert_array_equal(dg.minimum(x, y[0]).data, np.minimum(X, y.data[0]))
    np.testing.assert_array_equal(dg.where(x > y, x, y).data, np.maximum(x.data, y.data))
    np.testing.assert_array_equal(dg.where(X > 1, x, 0).data, np.where(X > 1, X, 0))
    np.testing.assert_array_equal(dg.clamp(x, 0.3, 0.8).data, X.clip(0.3, 0.8))
    np.testing.assert_array_equal(dg.clamp(x, max=x[0]).data, np.minimum(X, X[0]))
    assert dg.where([True, False], 1.0, 0.0).tolist() == [1, 0]
    assert dg.where(True, 1, 0).dtype == np.int64


def test_choices_refuse() -> None:
    x = dg.ones(2)
    with pytest.raises(ValueError, match=r"clamp\(\) needs min, max or both"):
        x.clamp()
    with pytest.raises(RuntimeError, match=r"where\(\) needs a condition of bools, not float32"):
        dg.where(x, x, x)
    for call in (lambda x, y: dg.where(x > 0, x, y), dg.clamp):
        with pytest.raises(TypeError, match="must be Tensors, arrays or numbers, got str"):
            call(x, "x")


def test_what_was_not_chosen_may_have_an_infinite_gradient() -> None:
    x = dg.tensor([-1.0, 4.0], requires_grad=True)
    dg.where(x > 0, x, 0).sqrt().sum().backward()
    assert x.grad.tolist() == [0, 0.25]
    x.grad = None
    dg.clamp(x, min=0).sqrt().sum().backward()
    assert x.grad.tolist() == [0, 0.25]


def test_joins() -> None:
    x = dg.Tensor(X)
    np.testing.assert_array_equal(dg.cat([x, X, x[:1]]).data, np.concatenate([X, X, X[:1]]))
    np.testing.assert_array_equal(dg.cat((x, x[:, :1]), dim=-1).data, np.c_[X, X[:, :1]])
    np.testing.assert_array_equal(dg.stack([x, X], dim=1).data, np.stack([X, X], 1))
    assert dg.cat([dg.zeros(0), x], dim=1).shape == (2, 3)
    assert dg.cat([dg.zeros(0), dg.zeros(0)]).shape == (0,)
    assert dg.cat([dg.tensor([1]), dg.tensor([0.5])]).dtype == np.float32
    for function in (dg.cat, dg.stack):
        with pytest.raises(ValueError, match=rf"{function.__name__}\(\) needs at least one tensor"):
            function([])
        with pytest.raises(ValueError, match="must"):
            function([x, x[:, :2]])


def test_parts_join_to_the_whole() -> None:
    x = dg.tensor(np.arange(14.0).reshape(2, 7), requires_grad=True)
    for parts in (dg.split(x, 3, 1), dg.split(x, (2, 0, 5), -1), dg.chunk(x, 3, 1), [x]):
        np.testing.assert_array_equal(dg.cat(parts, 1).data, x.data)
        assert all(np.shares_memory(part.data, x.data) for part in parts if part.numel())
        gradient = dg.autograd.grad(sum((p * p).sum() for p in parts), x)[0]
        np.testing.assert_array_equal(gradient.data, 2 * x.data)


def test_the_memory_order_of_images_is_kept() -> None:
    memory = np.random.default_rng(0).standard_normal((2, 4, 5, 3)).astype(np.float32)
    leaf = dg.Tensor(memory.transpose(0, 3, 1, 2), requires_grad=True)
    x, y = leaf * 1, dg.Tensor(leaf.data)
    for result in (
        x.sigmoid(),
        x.erf(),
        F.gelu(x),
        F.gelu(x, "tanh"),
        dg.maximum(x, y),
        dg.where(x > 0, x, 0),
        x.clamp(-1, 1),
        x.masked_fill(x > 0, 1.0),
        x.softmax(1),
        dg.cat([x, y], 1),
        F.pad(x, (1, 1, 1, 1)),
    ):
        assert np.argsort(result.data.strides).tolist() == [1, 3, 2, 0], result.grad_fn
        (gradient,) = dg.autograd.grad(result, leaf, result.detach(), retain_graph=True)
        assert np.argsort(gradient.data.strides).tolist() == [1, 3, 2, 0], result.grad_fn


# Einstein's convention


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("ij,jk", "'ij,jk' names 2 operands, got 1"),
        ("ijk", "'ijk' in 'ijk' does not fit 2 axes"),
        ("i", "'i' in 'i' does not fit 2 axes"),
        ("...ijk->i", "does not fit 2 axes"),
        ("ij->ijj", "the result in 'ij->ijj' names an index twice"),
    ],
)
def test_einsum_refuses(equation, message) -> None:
    with pytest.raises(ValueError, match=message):
        dg.einsum(equation, dg.ones(2, 3))


LETTERS = st.text("abcd", max_size=3)


@given(st.data(), st.lists(LETTERS, min_size=1, max_size=3))
def test_einsum_on_random_equations(data, terms) -> None:
    output = data.draw(st.permutations(sorted(set("".join(terms)))))
    output = "".join(output[: data.draw(st.integers(0, len(output)))])
    equation = ",".join(terms) + "->" + output
    lengths = {"a": 1, "b": 2, "c": 3, "d": 0}
    generator = np.random.default_rng(0)
    inputs = [generator.standard_normal([lengths[c] for c in term]) for term in terms]
    result = dg.einsum(equation, *(leaves := [dg.tensor(x, requires_grad=True) for x in inputs]))
    np.testing.assert_allclose(result.data, np.einsum(equation, *inputs), rtol=1e-12, atol=1e-13)
    # The sum is linear in each operand: <above, y> = <gradient, x>.
    above = dg.Tensor(generator.standard_normal(result.shape))
    for x, gradient in zip(leaves, dg.autograd.grad(result, leaves, above), strict=True):
        assert gradient.shape == x.shape
        np.testing.assert_allclose(
            (gradient.data * x.data).sum(), (above.data * result.data).sum(), atol=1e-10
        )


# Padding


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (ValueError, "mode must be one of .* got 'mirror'", ((1, 1), "mirror")),
        (ValueError, "2 axes takes 2, 4, ... up to 4 numbers, got 3", ((1, 1, 1),)),
        (ValueError, "got 6", ((1,) * 6,)),
        (RuntimeError, r"\(-2, -2\) takes more than there is of shape \(2, 3\)", ((-2, -2),)),
    ],
)
def test_pad_refuses(error, message, arguments) -> None:
    with pytest.raises(error, match=message):
        F.pad(dg.ones(2, 3), *arguments)


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
    "sigmoid": lambda m, x, y: m.sigmoid(x) - m.erf(y),
    "maximum": lambda m, x, y: m.maximum(x, 0.3 * y),
    "where": lambda m, x, y: m.where(x > y, x * y, y),
    "clamp": lambda m, x, y: x + m.clamp(y, -0.5, 0.7) * x,
    "std": lambda m, x, y: x / (1 + m.std(y, 1, keepdim=True)),
    "var": lambda m, x, y: x * m.var(x, 0),
    "logsumexp": lambda m, x, y: y - m.logsumexp(x, 1, True),
    "softmax": lambda m, x, y: m.softmax(x, 1) * y,
    "cat": lambda m, x, y: m.cat([x[:, 1:], y[:, :1]], 1),
    "stack": lambda m, x, y: m.stack([x, y, x * y])[1:].sum(0),
    "split": lambda m, x, y: m.split(x, 1)[1] * y,
    "einsum": lambda m, x, y: m.einsum("ij,kj,kl->il", x, y, x) / 4,
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
