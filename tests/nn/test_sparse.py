import numpy as np
import pytest

import distgrad as dg
from distgrad import nn


def test_rows_of_the_table():
    table = nn.Embedding(5, 3)
    y = table(dg.tensor([[4, 0]]))
    np.testing.assert_array_equal(y.data[0], table.weight.data[[4, 0]])
    y.sum().backward()
    assert table.weight.grad.data.sum(axis=1).tolist() == [3, 0, 0, 0, 3]


def test_initial_values_are_standard_normal():
    dg.manual_seed(0)
    values = nn.Embedding(400, 100).weight.data
    assert abs(values.mean()) < 0.02
    assert abs(values.std() - 1) < 0.02


@pytest.mark.parametrize("padding", [1, -4])
def test_the_padding_row_is_zero_and_stays_so(padding):
    table = nn.Embedding(5, 3, padding_idx=padding)
    assert table.padding_idx == 1
    optimizer = dg.optim.SGD(table.parameters(), lr=1.0)
    table(dg.tensor([1, 2])).sum().backward()
    optimizer.step()
    assert table.weight.data[1].tolist() == [0, 0, 0]


def test_representation_and_state_are_pytorchs():
    assert repr(nn.Embedding(5, 3)) == "Embedding(5, 3)"
    torch = pytest.importorskip("torch")
    for arguments in [(5, 3), (5, 3, -1)]:
        own, theirs = nn.Embedding(*arguments), torch.nn.Embedding(*arguments)
        assert repr(own) == repr(theirs)
        assert list(own.state_dict()) == list(theirs.state_dict())


def test_errors():
    with pytest.raises(ValueError, match="padding_idx 5 names no row of 5; use -5 to 4"):
        nn.Embedding(5, 3, padding_idx=5)
    with pytest.raises(IndexError, match=r"index 5 at position \(0,\)"):
        nn.Embedding(5, 3)(dg.tensor([5]))


def test_a_table_of_ones_own():
    weight = dg.tensor([[1.0, 2.0], [3.0, 4.0]])
    before = dg.rand(1).tolist()
    dg.manual_seed(0)
    first = dg.rand(1).tolist()
    dg.manual_seed(0)
    layer = nn.Embedding.from_pretrained(weight, padding_idx=-1, max_norm=9.0)
    assert dg.rand(1).tolist() == first != before  # nothing was drawn
    assert not layer.weight.requires_grad
    assert (layer.padding_idx, layer.max_norm, layer.weight.tolist()) == (1, 9.0, weight.tolist())
    assert nn.Embedding.from_pretrained(weight.double(), freeze=False).weight.requires_grad
    with pytest.raises(ValueError, match=r"needs shape \(rows, width\), got \(2,\)"):
        nn.Embedding.from_pretrained(weight[0])


def test_rows_are_limited_in_training():
    table = nn.Embedding(5, 3, max_norm=0.1)
    y = table(dg.tensor([1, 2]))
    np.testing.assert_allclose(np.linalg.norm(y.data, axis=1), 0.1, rtol=1e-5)
    np.testing.assert_array_equal(table.weight.data[[1, 2]], y.data)
    assert repr(nn.Embedding(5, 3, 0, 2.0, 1.0, True)) == (
        "Embedding(5, 3, padding_idx=0, max_norm=2.0, norm_type=1.0, scale_grad_by_freq=True)"
    )
    with pytest.raises(NotImplementedError, match="Embedding: sparse=True"):
        nn.Embedding(5, 3, sparse=True)
