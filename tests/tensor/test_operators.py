"""The Python operators: reflected, with NumPy's arrays and scalars, comparisons, and gradients."""

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import distgrad as dg
import distgrad.nn.functional as F

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("op", ARITHMETIC + COMPARISONS)
@pytest.mark.parametrize(
    "other", [2, 2.5, True, np.float64(2.5), np.float32(0.5), np.array([1.0, 3.0]), np.array(2.0)]
)
def test_other_operands_on_both_sides(op, other) -> None:
    x = dg.tensor([1.5, 3.0], dtype=dg.float64)
    for result, expected in [(op(x, other), op(x.data, other)), (op(other, x), op(other, x.data))]:
        assert isinstance(result, dg.Tensor)
        np.testing.assert_allclose(result.data, expected, rtol=1e-15)


@pytest.mark.parametrize("op", ARITHMETIC)
@pytest.mark.parametrize("other", [2.0, np.float64(2.0), np.array([2.0, 4.0])])
def test_gradients_on_both_sides(op, other) -> None:
    x = dg.tensor([1.5, 3.0], dtype=dg.float64, requires_grad=True)
    assert dg.autograd.gradcheck(lambda x: op(x, other), x)
    assert dg.autograd.gradcheck(lambda x: op(other, x), x)


def test_products_with_arrays() -> None:
    x, a = dg.tensor([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)
    assert (x @ a).tolist() == [[2, 1], [4, 3]]
    assert (a @ x).tolist() == [[3, 4], [1, 2]]


def test_a_product_is_not_widened_in_silence() -> None:
    x, y = dg.ones(2, 2), dg.ones(2, 2, dtype=dg.float64)
    message = r"matmul\(\) needs operands of one data type, got float32 and float64.*\.to\(\)"
    with pytest.raises(RuntimeError, match=message):
        x @ y
    with pytest.raises(RuntimeError, match=r"dot\(\) needs operands of one data type"):
        x[0].dot(y[0])


@pytest.mark.parametrize("other", [None, "text", [1.0, 2.0], {}])
def test_other_things_are_not_operands(other) -> None:
    x = dg.ones(2)
    for op in [*ARITHMETIC, operator.matmul, operator.lt]:
        with pytest.raises(TypeError):
            op(x, other)
        with pytest.raises(TypeError):
            op(other, x)


def test_comparison_with_none() -> None:
    x = dg.ones(2)
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711
    assert x is not None


def test_comparison_is_elementwise_and_hash_by_identity() -> None:
    x, y = dg.tensor([1.0, 2.0]), dg.tensor([1.0, 3.0])
    assert (x == y).tolist() == [True, False]
    assert {x: 1, y: 2}[x] == 1
    assert hash(x) != hash(dg.tensor([1.0, 2.0]))


def test_unary() -> None:
    x = dg.tensor([-1.5, 2.0])
    assert (-x).tolist() == [1.5, -2]
    assert abs(x).tolist() == [1.5, 2]


def test_integer_division_gives_floats() -> None:
    assert (dg.tensor([1, 2]) / 2).tolist() == [0.5, 1]
    assert (1 / dg.tensor([1, 2])).dtype == dg.float32
    assert (dg.tensor([1, 2]) / dg.tensor([2, 2])).dtype == dg.float32


def test_shapes_that_do_not_broadcast() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) \(3,\)"):
        dg.ones(2) + dg.ones(3)


SHAPES = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=0)
BINARY = st.sampled_from(["add", "sub", "mul", "div"])
NUMPY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}


@given(SHAPES, BINARY, st.integers(0, 2**32 - 1))
def test_broadcasting(shapes, name, seed) -> None:
    generator = np.random.default_rng(seed)
    a, b = (generator.uniform(0.5, 2, shape) for shape in shapes.input_shapes)
    x, y = dg.Tensor(a, requires_grad=True), dg.Tensor(b, requires_grad=True)
    result = getattr(dg, name)(x, y)
    np.testing.assert_array_equal(result.data, NUMPY[name](a, b))
    assert result.shape == shapes.result_shape

    above = dg.Tensor(generator.standard_normal(result.shape))
    by_x, by_y = dg.autograd.grad(result, [x, y], above)
    assert by_x.shape == x.shape
    assert by_y.shape == y.shape
    # The gradient is the transposed Jacobian: <above, J v> = <J^T above, v> for any direction v.
    v, w = generator.standard_normal(x.shape), generator.standard_normal(y.shape)
    h = 1e-6
    moved = NUMPY[name](a + h * v, b + h * w) - NUMPY[name](a - h * v, b - h * w)
    numeric = np.sum(above.data * moved) / (2 * h)
    analytic = np.sum(by_x.data * v) + np.sum(by_y.data * w)
    np.testing.assert_allclose(analytic, numeric, rtol=1e-6, atol=1e-6)


def test_normalising_what_is_infinite_gives_nan_without_a_warning() -> None:
    y = F.layer_norm(dg.tensor([[float("inf"), 1.0], [3.0, 1.0]]), (2,))
    assert y[0].isnan().all()
    assert y[1].isfinite().all()
