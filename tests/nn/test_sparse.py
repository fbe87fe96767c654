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
