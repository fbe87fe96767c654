"""Reading and writing at given places, orders, diagonals: values by NumPy, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import distgrad as dg

X = np.random.default_rng(0).permutation(24).reshape(2, 3, 4) / 4 - 2.1
PLACES = np.random.default_rng(1).integers(0, 3, (2, 5, 4))


def written(x: Any, index: Any, source: Any, axis: int, combine: Callable[[Any, Any], Any]) -> Any:
    """Element after element, in order."""
    result = x.copy()
    for place in np.ndindex(index.shape):
        target = (*place[:axis], index[place], *place[axis + 1 :])
        result[target] = combine(result[target], source[place])
    return result


SOURCE = np.random.default_rng(2).standard_normal((2, 6, 4))
COMBINED: dict[str, tuple[Callable[..., Any], Callable[[Any, Any], Any]]] = {
    "scatter": (lambda x, i, s: dg.scatter(x, 1, i, s), lambda a, b: b),
    "scatter value": (lambda x, i, s: x.scatter(1, i, value=7), lambda a, b: 7),
    "scatter add": (lambda x, i, s: x.scatter(1, i, s, reduce="add"), lambda a, b: a + b),
    "scatter multiply": (lambda x, i, s: x.scatter(1, i, s, reduce="multiply"), lambda a, b: a * b),
    "scatter add number": (
        lambda x, i, s: x.scatter(1, i, 0.5, reduce="add"),
        lambda a, b: a + 0.5,
    ),
    "scatter_add": (lambda x, i, s: dg.scatter_add(x, -2, i, s), lambda a, b: a + b),
    "sum": (lambda x, i, s: dg.scatter_reduce(x, 1, i, s, "sum"), lambda a, b: a + b),
    "prod": (lambda x, i, s: dg.scatter_reduce(x, 1, i, s, "prod"), lambda a, b: a * b),
    "amax": (lambda x, i, s: dg.scatter_reduce(x, 1, i, s, "amax"), max),
    "amin": (lambda x, i, s: dg.scatter_reduce(x, 1, i, s, "amin"), min),
}


@pytest.mark.parametrize("name", COMBINED)
def test_scattered(name: str) -> None:
    call, combine = COMBINED[name]
    x, source = dg.tensor(X, requires_grad=True), dg.tensor(SOURCE, requires_grad=True)
    expected = written(X, PLACES, SOURCE, 1, combine)
    np.testing.assert_allclose(call(x, dg.tensor(PLACES), source).data, expected, rtol=1e-14)
    np.testing.assert_allclose(call(dg.tensor(X), PLACES, SOURCE).data, expected, rtol=1e-14)
    if name != "scatter":  # what was overwritten has a gradient all the same
        assert dg.autograd.gradcheck(lambda x, s: call(x, PLACES, s), (x, source))
        assert dg.autograd.gradgradcheck(lambda x, s: call(x, PLACES, s), (x, source))


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "amax", "amin"])
def test_reductions_without_the_tensors_own_elements(name: str) -> None:
    x, index = dg.tensor([5.0, 6, 7]), dg.tensor([2, 0, 2])
    source = dg.tensor([2.0, 3, -4])
    expected = {"sum": -2, "mean": -1, "prod": -8, "amax": 2, "amin": -4}[name]
    for call in (dg.scatter_reduce, dg.index_reduce):
        result = call(x, 0, index, source, name, include_self=False)
        assert result.tolist() == [3, 6, expected]


def test_prod_of_zeros_has_the_right_gradient() -> None:
    x = dg.tensor([2.0, 0, 3], dtype=dg.float64, requires_grad=True)
    source = dg.tensor([0.0, 5, 0, 0], dtype=dg.float64, requires_grad=True)
    index = dg.tensor([0, 0, 2, 2])
    call = lambda x, s: x.scatter_reduce(0, index, s, "prod")  # noqa: E731
    assert dg.autograd.gradcheck(call, (x, source))
    assert dg.autograd.gradgradcheck(call, (x, source))


def written_by_mask(x: Any, mask: Any, source: Any) -> Any:
    result = x.copy()
    result[mask] = source.ravel()[: mask.sum()]
    return result


CALLS: dict[str, tuple[Callable[[Any], Any], Callable[[], Any]]] = {
    "gather": (
        lambda x: dg.gather(x, 1, dg.tensor(PLACES)),
        lambda: np.take_along_axis(X, PLACES, 1),
    ),
    "gather less": (
        lambda x: dg.gather(x, 2, dg.tensor([[[3], [0]]])),
        lambda: X[[[0], [0]], [[0], [1]], [[3], [0]]][None],
    ),
    "take_along_dim": (
        lambda x: dg.take_along_dim(x, dg.tensor([[[0], [-1]]]), 1),
        lambda: np.take_along_axis(X, np.array([[[0], [2]]]), 1),
    ),
    "take_along_dim of all": (
        lambda x: x.take_along_dim(dg.tensor([5, 0])),
        lambda: X.reshape(-1)[[5, 0]],
    ),
    "take": (lambda x: dg.take(x, dg.tensor([[3, -1]])), lambda: X.reshape(-1)[[[3, -1]]]),
    "index_select": (lambda x: dg.index_select(x, 2, dg.tensor([3, 3])), lambda: X[..., [3, 3]]),
    "masked_select": (lambda x: dg.masked_select(x, x[0] > 0), X[:, X[0] > 0].ravel),
    "masked_fill": (lambda x: dg.masked_fill(x, x > 0, 9), lambda: np.where(X > 0, 9, X)),
    "index_add": (
        lambda x: dg.index_add(x, 0, dg.tensor([1, 1]), x, alpha=2),
        lambda: np.stack([X[0], X[1] + 2 * X.sum(0)]),
    ),
    "index_copy": (
        lambda x: dg.index_copy(x, 0, dg.tensor([1, 0]), x * x),
        lambda: (X * X)[::-1],
    ),
    "index_fill": (
        lambda x: dg.index_fill(x, 1, dg.tensor([0, -3]), x[0, 0, 0]),
        lambda: np.stack([0 * X[:, 0] + X[0, 0, 0], X[:, 1], X[:, 2]], 1),
    ),
    "index_put": (
        lambda x: dg.index_put(x, (None, dg.tensor([0, 0])), x[0, :2], accumulate=True),
        lambda: np.stack([X[:, 0] + X[0, :2].sum(0), X[:, 1], X[:, 2]], 1),
    ),
    "index_put by a mask": (
        lambda x: x.index_put((x > 0,), x[0, 0, 0]),
        lambda: np.where(X > 0, X[0, 0, 0], X),
    ),
    "put": (
        lambda x: dg.put(x[0, 0], dg.tensor([[0], [-1]]), x[1, 0, :2]),
        lambda: np.r_[X[1, 0, 0], X[0, 0, 1:3], X[1, 0, 1]],
    ),
    "masked_scatter": (
        lambda x: dg.masked_scatter(x[0], x[0] > x[0].mean(), x[1]),
        lambda: written_by_mask(X[0], X[0] > X[0].mean(), X[1]),
    ),
    "sort": (lambda x: dg.sort(x, 1).values, lambda: np.sort(X, 1)),
    "sort descending": (lambda x: x.sort(descending=True)[0], lambda: -np.sort(-X)),
    "msort": (dg.msort, lambda: np.sort(X, 0)),
    "argsort": (lambda x: x.gather(-1, x.argsort()), lambda: np.sort(X)),
    "topk": (lambda x: dg.topk(x, 2, 1).values, lambda: -np.sort(-X, 1)[:, :2]),
    "topk smallest": (lambda x: x.topk(1, 0, largest=False)[0], lambda: X.min(0, keepdims=True)),
    "kthvalue": (lambda x: dg.kthvalue(x, 2, 2).values, lambda: np.sort(X)[..., 1]),
    "kthvalue kept": (lambda x: x.kthvalue(3, 1, True).values, lambda: X.max(1, keepdims=True)),
    "tril": (lambda x: dg.tril(x, -1), lambda: np.tril(X, -1)),
    "triu": (dg.triu, lambda: np.triu(X)),
    "diagonal": (lambda x: dg.diagonal(x, 1, 0, -1), lambda: np.diagonal(X, 1, 0, 2)),
    "diag": (lambda x: dg.diag(x[0], 1), lambda: np.diag(X[0], 1)),
    "diag of a vector": (lambda x: dg.diag(x[0, 0], -1), lambda: np.diag(X[0, 0], -1)),
    "diag_embed": (
        lambda x: dg.diag_embed(x[0], dim1=1, dim2=0),
        lambda: np.stack([np.diag(v) for v in X[0]], 2),
    ),
    "diagflat": (lambda x: dg.diagflat(x[0, :, :1]), lambda: np.diag(X[0, :, 0])),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients(name: str) -> None:
    call, reference = CALLS[name]
    x = dg.tensor(X, requires_grad=True)
    np.testing.assert_allclose(call(x).data, reference(), rtol=1e-15)
    assert dg.autograd.gradcheck(lambda x: call(x) ** 2, x)


def test_the_diagonal_is_a_view_to_write_to() -> None:
    x = dg.zeros(2, 3)
    x.diagonal(1).fill_(2)
    assert x.tolist() == [[0, 2, 0], [0, 0, 2]]
    assert not np.shares_memory(x.diag().data, x.data)


def test_equal_elements_stay_as_they_stand() -> None:
    x = dg.tensor([1.0, np.nan, 0.0, 1.0, np.nan, 0.0])
    assert x.argsort().tolist() == [2, 5, 0, 3, 1, 4]
    assert x.argsort(descending=True).tolist() == [1, 4, 0, 3, 2, 5]
    assert x.topk(3).indices.tolist() == [1, 4, 0]
    assert x.topk(3, largest=False).indices.tolist() == [2, 5, 0]
    assert x.kthvalue(3).indices.item() == 0
    assert dg.tensor([True, False]).sort().values.tolist() == [False, True]


def test_single_numbers_and_nothing() -> None:
    x = dg.tensor(2.0, requires_grad=True)
    assert dg.sort(x).values.shape == dg.topk(x, 1).values.shape == dg.kthvalue(x, 1)[0].shape == ()
    assert dg.topk(x, 0).indices.shape == (0,)
    zero = dg.tensor(0)
    for y in (
        x.gather(0, zero),
        x.scatter(0, zero, x),
        x.scatter_reduce(0, zero, x, "amax"),
        x.index_select(0, zero),
        x.index_add(0, zero, x),
        x.take_along_dim(zero, 0),
    ):
        assert y.shape == ()
        assert y.requires_grad
    none = dg.zeros(0, 3, dtype=dg.int64)
    assert dg.zeros(2, 3).gather(0, none).shape == (0, 3)
    assert dg.ones(2).scatter(0, dg.zeros(0, dtype=dg.int64), 3).tolist() == [1, 1]
    assert dg.sort(dg.zeros(0, 3), 0).indices.shape == (0, 3)


@given(st.data(), hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
def test_gather_and_scatter_add_are_adjoint(data: Any, shape: tuple[int, ...]) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    size = [data.draw(st.integers(0, n if a != axis else 6)) for a, n in enumerate(shape)]
    index = dg.tensor(
        data.draw(hnp.arrays(np.int64, size, elements=st.integers(0, shape[axis] - 1)))
    )
    generator = np.random.default_rng(0)
    x, y = dg.tensor(generator.standard_normal(shape)), dg.tensor(generator.standard_normal(size))
    there = (x.gather(axis, index) * y).sum()
    back = (dg.zeros(*shape, dtype=dg.float64).scatter_add(axis, index, y) * x).sum()
    np.testing.assert_allclose(there.item(), back.item(), atol=1e-12)


PARTS = st.one_of(
    st.integers(-2, 1),
    st.slices(2),
    st.none(),
    st.just(...),
    st.just(True),
    st.lists(st.integers(-2, 1), min_size=2, max_size=2),
    st.just(np.array([[0, 1], [1, -1]])),
    st.just(np.array([False, True])),
)


@given(st.lists(PARTS, max_size=5).filter(lambda parts: sum(p is ... for p in parts) < 2))
def test_indices_of_all_kinds_together(parts: list[Any]) -> None:
    values = np.arange(8.0).reshape(2, 2, 2)
    x, index = dg.tensor(values, requires_grad=True), tuple(parts)
    try:
        expected = values[index]
    except IndexError:
        with pytest.raises(IndexError):
            x[index]
        return
    result = x[tuple(dg.Tensor(p) if isinstance(p, np.ndarray) else p for p in parts)]
    np.testing.assert_array_equal(result.data, expected)
    above = dg.tensor(np.random.default_rng(0).standard_normal(result.shape))
    gradient = np.zeros_like(values)
    np.add.at(gradient, index, above.data)
    found = dg.autograd.grad(result, x, above)[0].data
    np.testing.assert_allclose(found, gradient, rtol=1e-12)


def test_what_is_kept_for_the_gradient_is_a_copy() -> None:
    x = dg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for call in (
        lambda i: x.gather(0, i),
        lambda i: x.index_select(0, i),
        x.take,
        lambda i: x.take_along_dim(i, 0),
        lambda i: dg.zeros(3).scatter_add(0, i, x[:2]),
        lambda i: dg.zeros(3).index_put((i,), x[:2]),
    ):
        index = dg.tensor([0, 1])
        y = call(index)
        index.fill_(2)
        assert dg.autograd.grad(y.sum(), x)[0].tolist() == [1, 1, 0]


def test_repeated_places_add_in_order() -> None:
    source = dg.tensor([1e8, 1.0, -1e8, 1.0])  # in another order float32 gives another sum
    index = dg.tensor([0, 0, 0, 0])
    for call in (dg.scatter_add, dg.index_add):
        assert call(dg.zeros(1), 0, index, source).tolist() == [1]
    assert dg.index_put(dg.zeros(1), (index,), source, True).tolist() == [1]
    assert dg.scatter(dg.zeros(1), 0, index, source).tolist() == [1]


T, M = dg.Tensor(X), dg.Tensor(X[0])
ZERO = dg.tensor([0])

REFUSED: list[tuple[type[Exception], str, Callable[[], Any]]] = [
    (
        RuntimeError,
        r"gather\(\) takes places .* got float32; convert",
        lambda: T.gather(0, dg.ones(1, 1, 1)),
    ),
    (
        RuntimeError,
        r"gather\(\): index 3 is out of range for 3 elements; use 0 to 2",
        lambda: T.gather(1, dg.tensor([[[3]]])),
    ),
    (RuntimeError, r"the index of shape \(1,\) must have as many axes", lambda: T.gather(0, ZERO)),
    (RuntimeError, r"no longer along any but axis 0", lambda: M.gather(0, dg.tensor([[0] * 5]))),
    (
        RuntimeError,
        r"takes indices with as many axes.*\(1,\) and \(2, 3, 4\)",
        lambda: T.take_along_dim(ZERO, 1),
    ),
    (
        RuntimeError,
        "do not broadcast beside axis 0",
        lambda: M.take_along_dim(dg.tensor([[0] * 3]), 0),
    ),
    (
        RuntimeError,
        "index 4 is out of range for 4 elements",
        lambda: M.take_along_dim(dg.tensor([[4]]), 1),
    ),
    (
        IndexError,
        r"take\(\): index -25 is out of range .* use -24 to 23",
        lambda: T.take(dg.tensor(-25)),
    ),
    (IndexError, "there is nothing to point at", lambda: dg.take(dg.zeros(0), ZERO)),
    (
        IndexError,
        r"index_select\(\): index -1 is out of range",
        lambda: T.index_select(0, dg.tensor([-1])),
    ),
    (
        IndexError,
        r"takes a vector of places, got one of shape \(1, 1\)",
        lambda: T.index_select(0, ZERO[None]),
    ),
    (RuntimeError, "takes a mask of bools, got int64; compare", lambda: T.masked_select(ZERO)),
    (
        RuntimeError,
        r"mask of shape \(3,\) do not broadcast",
        lambda: T.masked_select(dg.ones(3) > 0),
    ),
    (
        RuntimeError,
        "writes into float64, got a source of type float32",
        lambda: M.scatter(0, ZERO[None], dg.ones(1, 1)),
    ),
    (
        RuntimeError,
        r"source of shape \(1, 1\).*index of shape \(1, 2\)",
        lambda: M.scatter(1, dg.tensor([[0, 0]]), M[:1, :1]),
    ),
    (TypeError, "takes src or value, one of the two", lambda: M.scatter(0, ZERO[None])),
    (
        RuntimeError,
        'reduce must be "add" or "multiply", got \'max\'',
        lambda: M.scatter(0, ZERO[None], M, reduce="max"),
    ),
    (
        RuntimeError,
        '"amax" or "amin", got \'max\'',
        lambda: M.scatter_reduce(0, ZERO[None], M, "max"),
    ),
    (
        IndexError,
        r"takes a source of shape \(1, 4\), got \(2, 4\)",
        lambda: M.index_add(0, ZERO, M[:2]),
    ),
    (
        RuntimeError,
        "alpha=0.5 must be a whole number",
        lambda: ZERO.index_add(0, ZERO, ZERO, alpha=0.5),
    ),
    (
        RuntimeError,
        r"number or a 0-d tensor, got shape \(1,\); index_copy",
        lambda: M.index_fill(0, ZERO, dg.ones(1)),
    ),
    (IndexError, "index -4 is out of range for 3", lambda: M.index_fill(0, dg.tensor([-4]), 0)),
    (
        IndexError,
        "a place for each of the 3 places along axis 0",
        lambda: M.index_reduce(0, ZERO, M, "prod"),
    ),
    (IndexError, "out of bounds", lambda: M.index_put((dg.tensor([3]),), M[0])),
    (RuntimeError, "an element for each place, got 4 and 1", lambda: M.put(ZERO, M[0])),
    (
        RuntimeError,
        "asks for 12 elements, the source has 4",
        lambda: M.masked_scatter(M < 99, M[0]),
    ),
    (RuntimeError, "k=4 must be from 0 to 3", lambda: M.topk(4, 0)),
    (RuntimeError, "k=0 must be from 1 to 3", lambda: M.kthvalue(0, 0)),
    (IndexError, "k=1 must be from 1 to 0", lambda: dg.zeros(0).kthvalue(1)),
    (RuntimeError, r"tril\(\) takes matrices", ZERO.tril),
    (RuntimeError, r"diagonal\(\) names an axis twice", lambda: M.diagonal(0, 0, -2)),
    (RuntimeError, r"puts the last axis on two, got dims 0 and 0", lambda: M.diag_embed(0, 0, 0)),
    (RuntimeError, "takes a vector or a matrix.*diag_embed", T.diag),
]


@pytest.mark.parametrize(("error", "message", "call"), REFUSED)
def test_refused(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error, match=message):
        call()
