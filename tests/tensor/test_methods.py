"""Methods for shapes, indices and reductions, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import distgrad as dg


@pytest.fixture
def x() -> dg.Tensor:
    return dg.Tensor(np.arange(24.0).reshape(2, 3, 4))


def test_shapes(x) -> None:
    assert x.reshape(4, 6).shape == x.reshape((4, 6)).shape == x.reshape([4, -1]).shape == (4, 6)
    assert x.reshape(-1).shape == (24,)
    assert x.flatten().shape == (24,)
    assert x.flatten(1).shape == (2, 12)
    assert x.flatten(0, 1).shape == x.flatten(-3, -2).shape == (6, 4)
    assert dg.tensor(1.0).flatten().shape == (1,)
    assert dg.zeros(2, 0, 3).flatten(1).shape == (2, 0)
    assert x.transpose(0, 2).shape == x.transpose(-1, -3).shape == (4, 3, 2)
    assert x.T.shape == (4, 3, 2)
    assert x[:, :1].expand(5, 2, 3, 4).shape == x[:, :1].expand((5, -1, 3, -1)).shape


def test_shape_errors(x) -> None:
    with pytest.raises(ValueError, match="cannot reshape"):
        x.reshape(5)
    with pytest.raises(RuntimeError, match=r"start_dim 2 lies behind end_dim 1"):
        x.flatten(2, 1)
    with pytest.raises(IndexError):
        x.transpose(0, 3)
    with pytest.raises(ValueError, match="shape"):
        x.expand(3, 3, 4)


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("name", ["sum", "mean", "norm", "all", "any"])
def test_reductions(x, name, dim, keepdim) -> None:
    reference = {"norm": lambda a, **k: np.sqrt((a * a).sum(**k))}.get(name) or getattr(np, name)
    expected = reference(x.data, axis=dim, keepdims=keepdim)
    result = getattr(x, name)(dim, keepdim)
    np.testing.assert_allclose(result.data, expected, rtol=1e-15)
    assert result.shape == np.shape(expected)


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_max_and_argmax_along_an_axis(dim, keepdim) -> None:
    x = dg.Tensor(np.random.default_rng(0).permutation(np.arange(24.0)).reshape(2, 3, 4))
    values, indices = result = x.max(dim, keepdim)
    assert result.values is values
    assert result.indices is indices
    np.testing.assert_array_equal(values.data, x.data.max(axis=dim, keepdims=keepdim))
    np.testing.assert_array_equal(indices.data, x.data.argmax(axis=dim, keepdims=keepdim))
    np.testing.assert_array_equal(x.argmax(dim, keepdim).data, indices.data)
    assert indices.dtype == np.int64


def test_max_over_everything(x) -> None:
    assert x.max().item() == 23
    assert x.argmax().item() == 23
    values, indices = dg.tensor(5.0).max(0)
    assert (values.item(), indices.item()) == (5, 0)


def test_gradient_of_max_along_an_axis() -> None:
    x = dg.Tensor(
        np.random.default_rng(0).permutation(np.arange(24.0)).reshape(2, 3, 4), requires_grad=True
    )
    for dim in (0, 1, 2):
        assert dg.autograd.gradcheck(lambda x, dim=dim: x.max(dim).values ** 2, x)


def test_integers() -> None:
    x = dg.tensor([3, 4])
    assert x.sum().dtype == np.int64
    assert dg.tensor([True, True]).sum().item() == 2
    with pytest.raises(RuntimeError, match=r"mean\(\) needs a floating-point tensor, not int64"):
        x.mean()
    for result in (x.norm(), x.exp(), x.log(), x.sqrt(), x.tanh()):
        assert result.dtype == np.float32
    assert x.norm().item() == 5
    assert x.relu().dtype == np.int64


def test_dot_of_matrices() -> None:
    with pytest.raises(RuntimeError, match=r"two vectors, got shapes \(2, 2\), \(2,\)"):
        dg.ones(2, 2).dot(dg.ones(2))


def test_matmul_is_the_operator(x) -> None:
    np.testing.assert_array_equal(x.matmul(x.transpose(1, 2)).data, (x @ x.transpose(1, 2)).data)


ARRAYS = hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)


@given(st.data(), ARRAYS)
def test_basic_indices(data, shape) -> None:
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    check_index(shape, index)


@given(st.data(), ARRAYS)
def test_integer_array_indices(data, shape) -> None:
    index = data.draw(hnp.integer_array_indices(shape))
    check_index(shape, index)
    check_index(shape, tuple(dg.tensor(part) for part in index), index)


@given(st.data(), ARRAYS)
def test_boolean_indices(data, shape) -> None:
    check_index(shape, data.draw(hnp.arrays(np.bool_, shape)))


def check_index(shape, index, numpy_index=None) -> None:
    generator = np.random.default_rng(0)
    x = dg.Tensor(generator.standard_normal(shape), requires_grad=True)
    result = x[index]
    expected = x.data[index if numpy_index is None else numpy_index]
    np.testing.assert_array_equal(result.data, expected)
    # Indexing is linear: <above, x[index]> = <gradient, x>.
    above = dg.Tensor(generator.standard_normal(result.shape))
    (gradient,) = dg.autograd.grad(result, x, above)
    assert gradient.shape == x.shape
    np.testing.assert_allclose(
        np.sum(above.data * result.data), np.sum(gradient.data * x.data), atol=1e-12
    )
    # And nothing goes where the index does not point.
    touched = np.zeros(shape, bool)
    touched[index if numpy_index is None else numpy_index] = True
    assert not gradient.data[~touched].any()
