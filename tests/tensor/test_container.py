"""A Tensor as a container: length, iteration, membership, formats."""

import pytest

import distgrad as dg


def test_length_and_iteration() -> None:
    x = dg.tensor([[1, 2], [3, 4]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert reversed(x).tolist() == [[3, 4], [1, 2]]
    scalar = dg.tensor(1)
    assert reversed(scalar) is scalar
    for use in (len, iter):
        with pytest.raises(TypeError, match=r"len\(\) of a 0-d tensor"):
            use(scalar)


def test_membership() -> None:
    x = dg.tensor([[1.0, 2.0]])
    assert 2 in x
    assert 3.0 not in x
    assert dg.tensor(1) in x
    assert True in x
    assert 1 not in dg.ones(0)
    for element in ("a", None, [1.0]):
        with pytest.raises(RuntimeError, match="a tensor contains numbers; ask for a number or a"):
            assert element in x


def test_equality() -> None:
    x = dg.tensor([1, 2])
    assert (x == 1).tolist() == [True, False]
    assert (x != dg.tensor([1, 3])).tolist() == [False, True]
    for other in (None, "a", [1, 2]):
        assert (x == other) is False
        assert (x != other) is True


def test_format() -> None:
    assert f"{dg.tensor(1.25):.1f}" == "1.2"
    assert f"{dg.tensor(7):04d}" == "0007"
    assert f"{dg.tensor(1.25, requires_grad=True)}" == "1.25"
    assert f"{dg.tensor([1.0])}" == str(dg.tensor([1.0])) == "tensor([1.])"
    with pytest.raises(TypeError, match=r"'\.2f' formats one number, this tensor has shape \(1,\)"):
        f"{dg.tensor([1.0]):.2f}"
