import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F


def table(*shape, dtype=np.float64):
    values = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    return dg.Tensor(values, requires_grad=True)


def test_rows_by_number():
    weight = table(5, 3)
    y = F.embedding(dg.tensor([[4, 0], [1, 4]]), weight)
    assert y.shape == (2, 2, 3)
    np.testing.assert_array_equal(y.data[1, 0], weight.data[1])
    assert F.embedding(dg.tensor(2), weight).tolist() == weight.data[2].tolist()
    assert F.embedding(dg.zeros(0, dtype=dg.int32), weight).shape == (0, 3)


def test_the_gradient_of_a_row_is_the_sum_over_where_it_was_taken():
    weight = table(4, 2)
    F.embedding(dg.tensor([3, 1, 3, 3]), weight).sum().backward()
    assert weight.grad.tolist() == [[0, 0], [1, 1], [0, 0], [3, 3]]


@pytest.mark.parametrize("padding", [2, -2])
def test_the_padding_row_gets_no_gradient(padding):
    weight = table(4, 2)
    y = F.embedding(dg.tensor([2, 1, 2]), weight, padding_idx=padding)
    np.testing.assert_array_equal(y.data[0], weight.data[2])
    y.sum().backward()
    assert weight.grad.tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]


@pytest.mark.parametrize("padding", [None, 1])
def test_gradients(padding):
    indices = dg.tensor([[3, 1], [0, 3]])

    def run(weight):
        return F.embedding(indices, weight, padding)[:, 0] ** 3

    def frozen(weight):  # the padding row is a constant
        kept = dg.tensor([[1.0], [float(padding is None)], [1.0], [1.0]], dtype=dg.float64)
        return run(weight * kept + (weight * (1 - kept)).detach())

    if padding is None:
        assert dg.autograd.gradcheck(run, table(4, 2))
        assert dg.autograd.gradgradcheck(run, table(4, 2))
    first = [dg.autograd.grad(f(w).sum(), w) for f in (run, frozen) for w in [table(4, 2)]]
    np.testing.assert_array_equal(first[0][0].data, first[1][0].data)


def test_long_sums_have_the_same_bits_wherever_the_gradient_lies():
    rng = np.random.default_rng(1)
    indices = rng.integers(0, 7, (40, 30))
    above = rng.standard_normal((40, 30, 5)).astype(np.float32)
    results = []
    for gradient in (above, np.asfortranarray(above), np.repeat(above, 2, axis=2)[..., ::2]):
        weight = table(7, 5, dtype=np.float32)
        F.embedding(dg.Tensor(indices), weight).backward(dg.Tensor(gradient))
        results.append(weight.grad.data.tobytes())
    assert results == results[:1] * 3
    exact = [above[indices == row].sum(axis=0, dtype=np.float64) for row in range(7)]
    np.testing.assert_allclose(np.frombuffer(results[0], np.float32).reshape(7, 5), exact, 1e-4)


def test_the_indices_may_change_before_the_backward_pass():
    weight, indices = table(4, 2), dg.tensor([1])
    y = F.embedding(indices, weight)
    indices.fill_(3)
    y.sum().backward()
    assert weight.grad.data[1].tolist() == [1, 1]


@pytest.mark.parametrize("padding", [None, 0, -1])
def test_values_and_gradients_are_pytorchs(padding):
    torch = pytest.importorskip("torch")
    own = table(6, 3)
    theirs = torch.tensor(own.data.copy(), requires_grad=True)
    indices = np.array([[5, 0, 0], [2, 5, 5]])
    y = F.embedding(dg.Tensor(indices), own, padding)
    expected = torch.nn.functional.embedding(torch.tensor(indices), theirs, padding)
    np.testing.assert_array_equal(y.data, expected.detach().numpy())
    (g,) = dg.autograd.grad((y**3).sum(), [own], create_graph=True)
    (h,) = torch.autograd.grad((expected**3).sum(), [theirs], create_graph=True)
    np.testing.assert_allclose(g.data, h.detach().numpy(), rtol=1e-14)
    (g**2).sum().backward()
    (h**2).sum().backward()
    np.testing.assert_allclose(own.grad.data, theirs.grad.numpy(), rtol=1e-13)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, np.inf])
def test_rows_that_are_too_long_are_scaled_in_place(norm_type):
    weight = table(5, 3)
    before = weight.data.copy()
    versions = weight.version.number
    y = F.embedding(dg.tensor([[1, 4], [1, 1]]), weight, max_norm=0.5, norm_type=norm_type)
    lengths = np.linalg.norm(before, norm_type, axis=1)
    expected = before * np.minimum(1, 0.5 / lengths)[:, None]
    np.testing.assert_allclose(y.data[0], expected[[1, 4]], rtol=1e-6)
    np.testing.assert_array_equal(weight.data[[0, 2, 3]], before[[0, 2, 3]])
    np.testing.assert_array_equal(weight.data[[1, 4]], y.data[0])
    assert weight.version.number == versions + 1
    F.embedding(dg.tensor([1]), weight, max_norm=100.0)
    assert weight.version.number == versions + 1
    y.sum().backward()
    assert weight.grad.data[:, 0].tolist() == [0, 3, 0, 0, 1]


@pytest.mark.parametrize("padding", [None, 1])
def test_gradients_divided_by_how_often_a_row_is_named(padding):
    indices = np.array([[3, 1, 3], [3, 0, 1]])
    counts = np.array([1, 2, np.nan, 3])

    def run(weight):
        return F.embedding(dg.Tensor(indices), weight, padding, scale_grad_by_freq=True)

    weight = table(4, 2)
    above = dg.Tensor(np.random.default_rng(1).standard_normal((2, 3, 2)), requires_grad=True)
    (g,) = dg.autograd.grad(run(weight), weight, above, create_graph=True)
    expected = np.zeros((4, 2))
    np.add.at(expected, indices, above.data / counts[indices][..., None])
    if padding is not None:
        expected[padding] = 0
    np.testing.assert_allclose(g.data, expected, rtol=1e-14)
    (h,) = dg.autograd.grad(g.sum(), above)
    kept = 1.0 if padding is None else indices != padding
    np.testing.assert_allclose(h.data[..., 0], kept / counts[indices], rtol=1e-14)
    empty = F.embedding(dg.zeros(0, dtype=dg.int64), weight, scale_grad_by_freq=True)
    (g,) = dg.autograd.grad(empty.sum(), weight, create_graph=True)
    assert g.tolist() == [[0, 0]] * 4


def test_one_hot():
    numbers = np.array([[0, 3], [2, 2]])
    y = F.one_hot(dg.Tensor(numbers))
    assert y.dtype == np.int64
    np.testing.assert_array_equal(y.data, np.eye(4, dtype=int)[numbers])
    np.testing.assert_array_equal(F.one_hot(dg.Tensor(numbers), 6).data, np.eye(6)[numbers])
    assert F.one_hot(dg.tensor(1), 2).tolist() == [0, 1]
    assert F.one_hot(dg.zeros(0, 3, dtype=dg.int64), 2).shape == (0, 3, 2)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (TypeError, "type int64, not int32; use .long", (dg.zeros(2, dtype=dg.int32),)),
        (ValueError, "num_classes must be given, got -1", (dg.zeros(0, dtype=dg.int64),)),
        (ValueError, "num_classes must be positive, got 0", (dg.tensor([1]), 0)),
        (ValueError, "3 classes are numbered from 0 to 2, got .* 1 to 3", (dg.tensor([1, 3]), 3)),
        (ValueError, "numbered from 0 to 1, got numbers from -1 to 1", (dg.tensor([-1, 1]),)),
    ],
)
def test_what_one_hot_refuses(error, message, call):
    with pytest.raises(error, match=message):
        F.one_hot(*call)


def test_errors():
    weight = table(5, 3)
    for bad in (5, -1):
        message = rf"index {bad} at position \(1, 0\) .* table of 5 rows; use 0 to 4"
        with pytest.raises(IndexError, match=message):
            F.embedding(dg.tensor([[0, 4], [bad, 9]]), weight)
    with pytest.raises(IndexError, match=r"index 7 at position \(\)"):
        F.embedding(dg.tensor(7), weight)
    with pytest.raises(TypeError, match="must be of integer type, not float32"):
        F.embedding(dg.tensor([1.0]), weight)
    with pytest.raises(ValueError, match=r"weight must have shape \(rows, width\), got \(5,\)"):
        F.embedding(dg.tensor([1]), table(5))
    with pytest.raises(NotImplementedError, match="sparse=True asks for a sparse gradient"):
        F.embedding(dg.tensor([1]), weight, sparse=True)
    with pytest.raises(IndexError, match=r"index 7 at position \(0,\)"):
        F.embedding(dg.tensor([7]), weight, max_norm=1.0)
    with pytest.raises(ValueError, match="padding_idx 5 names no row of a table of 5; use -5 to 4"):
        F.embedding(dg.tensor([1]), weight, 5)
