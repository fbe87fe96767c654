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
    with pytest.raises(RuntimeError, match=r"cannot reshape the 24 .*\(5,\): .* multiply to 24"):
        x.reshape(5)
    with pytest.raises(RuntimeError, match=r"start_dim 2 lies behind end_dim 1"):
        x.flatten(2, 1)
    with pytest.raises(IndexError):
        x.transpose(0, 3)
    with pytest.raises(RuntimeError, match=r"cannot expand shape \(2, 3, 4\) to \(3, 3, 4\)"):
        x.expand(3, 3, 4)


def test_axes(x) -> None:
    assert x.permute(2, 0, 1).shape == x.permute((2, 0, 1)).shape == (4, 2, 3)
    np.testing.assert_array_equal(x.permute(1, -1, 0).data, x.data.transpose(1, 2, 0))
    y = x.unsqueeze(1).unsqueeze(-1)
    assert y.shape == (2, 1, 3, 4, 1)
    assert y.squeeze().shape == y.squeeze((1, -1)).shape == (2, 3, 4)
    assert y.squeeze(1).shape == (2, 3, 4, 1)
    assert y.squeeze(0).shape == y.shape
    assert dg.tensor(1.0).squeeze(0).shape == ()
    assert dg.tensor(1.0).unsqueeze(0).shape == dg.tensor(1.0).unsqueeze(-1).shape == (1,)
    for call in (lambda: x.squeeze(3), lambda: x.split(1, dim=3), lambda: x.softmax(3)):
        with pytest.raises(IndexError, match=r"from -3 to 2 .*shape \(2, 3, 4\), got 3"):
            call()
    with pytest.raises(IndexError, match=r"from -4 to 3 .*got -5"):
        x.unsqueeze(-5)


def test_views(x) -> None:
    for y in (x.view(6, 4), x.view((-1,)), x.view(2, 1, 12), x[:, :2].view(2, 2, 2, 2)):
        assert np.shares_memory(y.data, x.data)
    assert dg.zeros(0, 2).view(2, 0).shape == (2, 0)
    with pytest.raises(RuntimeError, match=r"view\(\) of shape \(6, 4\).*use reshape\(\)"):
        x.transpose(0, 1).view(6, 4)
    with pytest.raises(RuntimeError, match="cannot reshape"):
        x.view(5)


def test_contiguous(x) -> None:
    assert x.contiguous() is x
    turned = x.transpose(0, 2)
    assert not turned.is_contiguous()
    assert turned.contiguous().is_contiguous()
    np.testing.assert_array_equal(turned.contiguous().data, turned.data)
    assert turned.contiguous().view(12, 2).shape == (12, 2)


def test_parts(x) -> None:
    assert [part.shape[1] for part in x.split(2, 1)] == [2, 1]
    assert [part.shape[-1] for part in x.split([1, 0, 3], -1)] == [1, 0, 3]
    assert [part.shape[0] for part in x.chunk(5)] == [1, 1]
    assert [part.shape[0] for part in dg.zeros(0).chunk(3)] == [0, 0, 0]
    assert [part.shape[0] for part in dg.zeros(0).split(3)] == [0]
    for sizes, message in [
        (0, "needs a positive split_size, got 0"),
        (-1, "needs a positive split_size, got -1"),
        ([1, 1], r"add up to 4, the length of dim -1, got \[1, 1\]"),
        ([5, -1], r"got \[5, -1\]"),
    ]:
        with pytest.raises(RuntimeError, match=message):
            x.split(sizes, -1)
    with pytest.raises(RuntimeError, match="at least 1 chunk, got 0"):
        x.chunk(0)


def test_masked_fill() -> None:
    x = dg.tensor([[1.0, -2.0], [3.0, 4.0]], requires_grad=True)
    mask = dg.tensor([True, False])
    y = x.masked_fill(mask, -np.inf)
    assert y.dtype == np.float32
    assert y.tolist() == [[-np.inf, -2], [-np.inf, 4]]
    y.softmax(1).sum().backward()
    assert x.grad.tolist() == [[0, 0], [0, 0]]
    assert dg.tensor([1, 2]).masked_fill(mask, dg.tensor(7.0)).tolist() == [7, 2]
    with pytest.raises(RuntimeError, match=r"takes a number or a 0-d tensor, got one of shape"):
        x.masked_fill(mask, dg.ones(2))
    with pytest.raises(RuntimeError, match=r"condition of bools, not int64; compare it"):
        x.masked_fill(dg.tensor([0, 1]), 0)


def test_data_types_by_name() -> None:
    x = dg.tensor([0.5, 2.0, 0.0])
    assert x.float() is x
    assert x.double().dtype == np.float64
    assert x.long().tolist() == [0, 2, 0]
    assert x.bool().tolist() == [True, True, False]


def test_logic() -> None:
    x, y = dg.tensor([True, True, False]), dg.tensor([True, False, False])
    assert (x & y).tolist() == [True, False, False]
    assert (x | y).tolist() == (y | x.data).tolist() == [True, True, False]
    assert (~x).tolist() == [False, False, True]
    assert (True & x).tolist() == (x & True).tolist() == x.tolist()
    assert (dg.tensor([6]) & 3).tolist() == [2]


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("correction", [0, 1, 2])
def test_spread(x, name, dim, keepdim, correction) -> None:
    if dim == 0 and correction == 2:
        assert np.isinf(getattr(x, name)(dim, correction=2).data).all()
        return
    expected = getattr(np, name)(x.data, axis=dim, ddof=correction, keepdims=keepdim)
    result = getattr(x, name)(dim, correction=correction, keepdim=keepdim)
    np.testing.assert_allclose(result.data, expected, rtol=1e-14)
    assert result.shape == np.shape(expected)


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("name", ["sum", "mean", "norm", "all", "any"])
def test_reductions(x, name, dim, keepdim) -> None:
    reference = {"norm": lambda a, **k: np.sqrt((a * a).sum(**k))}.get(name) or getattr(np, name)
    expected = reference(x.data, axis=dim, keepdims=keepdim)
    result = getattr(x, name)(dim=dim, keepdim=keepdim)
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
    for mine, opposite in zip(x.min(dim, keepdim), (-x).max(dim, keepdim), strict=True):
        np.testing.assert_array_equal(np.abs(mine.data), np.abs(opposite.data))
    np.testing.assert_array_equal(x.argmin(dim, keepdim).data, (-x).argmax(dim, keepdim).data)


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
    for name in ("var", "std"):
        with pytest.raises(RuntimeError, match=rf"{name}\(\) needs a floating-point tensor"):
            getattr(x, name)()
    with pytest.raises(TypeError, match="softmax: the input must be of floating-point type"):
        x.softmax(0)
    with pytest.raises(RuntimeError, match=r"norm\(\) takes a floating-point tensor, not int64"):
        x.norm()
    for result in (x.exp(), x.log(), x.sqrt(), x.tanh(), x.sigmoid(), x.erf()):
        assert result.dtype == np.float32
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
