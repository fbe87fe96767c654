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
    with pytest.raises(ValueError, match="padding_idx 5 names no row of a table of 5; use -5 to 4"):
        F.embedding(dg.tensor([1]), weight, 5)
