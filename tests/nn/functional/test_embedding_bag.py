"""Bags of numbers: `embedding_bag` and its layer, term by term."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn

TABLE = np.random.default_rng(0).standard_normal((5, 3))
REDUCE = {"sum": np.sum, "mean": np.mean, "max": np.max}


def by_hand(bags: list[list[int]], mode: str, padding: int | None = None) -> np.ndarray:
    result = np.zeros((len(bags), 3))
    for row, bag in zip(result, bags, strict=True):
        counting = [number for number in bag if number != padding]
        if counting:
            row[:] = REDUCE[mode](TABLE[counting], axis=0)
    return result


@given(
    st.lists(st.lists(st.integers(0, 4), max_size=4), max_size=4),
    st.sampled_from(["sum", "mean", "max"]),
    st.sampled_from([None, 3]),
    st.booleans(),
)
def test_bags_one_after_another(bags: Any, mode: str, padding: Any, include_last: bool) -> None:
    flat = np.array([number for bag in bags for number in bag], np.int64)
    offsets = np.cumsum([0, *map(len, bags)])
    offsets = offsets if include_last else offsets[:-1]
    how = {"mode": mode, "padding_idx": padding, "include_last_offset": include_last}
    y = F.embedding_bag(dg.Tensor(flat), dg.Tensor(TABLE), dg.Tensor(offsets), **how)
    np.testing.assert_allclose(y.data, by_hand(bags, mode, padding), rtol=1e-13, strict=True)


BAGS = np.array([[0, 2, 2], [4, 1, 0]])


@pytest.mark.parametrize("mode", REDUCE)
def test_bags_of_one_size(mode: str) -> None:
    y = F.embedding_bag(dg.Tensor(BAGS), dg.Tensor(TABLE), mode=mode)
    np.testing.assert_allclose(y.data, by_hand(BAGS.tolist(), mode), rtol=1e-13)
    layer = nn.EmbeddingBag.from_pretrained(dg.Tensor(TABLE), mode=mode)
    assert layer(dg.Tensor(BAGS)).tolist() == y.tolist()


@pytest.mark.parametrize("mode", [*REDUCE, "weighted"])
def test_gradients(mode: str) -> None:
    weight = dg.Tensor(TABLE, requires_grad=True)
    factors = dg.Tensor(np.linspace(-1, 2, 6).reshape(2, 3), requires_grad=True)
    inputs = [weight, factors] if mode == "weighted" else [weight]

    def call(weight: Any, factors: Any = None) -> Any:
        how = "sum" if mode == "weighted" else mode
        return F.embedding_bag(
            dg.Tensor(BAGS), weight, mode=how, per_sample_weights=factors, padding_idx=-1
        )

    assert dg.autograd.gradcheck(call, inputs)
    assert dg.autograd.gradgradcheck(call, inputs)


def test_gradients_by_frequency() -> None:
    weight = dg.Tensor(TABLE, requires_grad=True)
    F.embedding_bag(dg.Tensor(BAGS), weight, scale_grad_by_freq=True, mode="sum").sum().backward()
    assert weight.grad.data[:, 0].tolist() == [1, 1, 1, 0, 1]


def test_the_layer() -> None:
    layer = nn.EmbeddingBag(5, 3, 0.5, mode="sum", padding_idx=-2, dtype=np.float64)
    assert layer.weight.data[3].tolist() == [0, 0, 0]
    y = layer(dg.tensor([0, 3, 0]), dg.tensor([0, 2]))
    np.testing.assert_allclose(y.data[0], layer.weight.data[0])
    np.testing.assert_allclose(np.linalg.norm(y.data, axis=1), 0.5, rtol=1e-5)
    assert repr(layer) == "EmbeddingBag(5, 3, max_norm=0.5, mode='sum', padding_idx=3)"
    torch = pytest.importorskip("torch")
    theirs = torch.nn.EmbeddingBag(5, 3, 0.5, mode="sum", padding_idx=-2)
    assert repr(layer) == repr(theirs)
    assert list(layer.state_dict()) == list(theirs.state_dict())


N, W, ZERO = dg.Tensor(BAGS), dg.Tensor(TABLE), dg.tensor([0])


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, "mode must be one of .* got 'min'", lambda: F.embedding_bag(N, W, mode="min")),
        (ValueError, r"weight must have shape \(rows", lambda: F.embedding_bag(N, W[0])),
        (ValueError, "with offsets of shape", lambda: F.embedding_bag(N, W, ZERO)),
        (ValueError, "with offsets of shape", lambda: F.embedding_bag(N[0], W)),
        (TypeError, "of integer type, not float64", lambda: F.embedding_bag(W, W)),
        (IndexError, "index 6", lambda: F.embedding_bag(N + 2, W)),
        (ValueError, "begin with 0 and rise up to 3", lambda: F.embedding_bag(N[0], W, ZERO + 1)),
        (ValueError, "one offset at least", lambda: bag(ZERO[:0], include_last_offset=True)),
        (ValueError, r"got \[0, 2, 1\]", lambda: bag(dg.tensor([0, 2, 1]))),
        (ValueError, r"got \[0, 4\]", lambda: bag(dg.tensor([0, 4]))),
        (ValueError, "padding_idx 5 names no row", lambda: bag(ZERO, padding_idx=5)),
        (ValueError, "for the modes", lambda: bag(ZERO, mode="max", scale_grad_by_freq=True)),
        (NotImplementedError, "mode 'sum' only, got 'mean'", lambda: bag(ZERO, factors=W[0])),
        (ValueError, r"input's shape \(3,\)", lambda: bag(ZERO, mode="sum", factors=W)),
        (NotImplementedError, "sparse", lambda: nn.EmbeddingBag(5, 3, sparse=True)),
        (ValueError, "padding_idx -6", lambda: nn.EmbeddingBag(5, 3, padding_idx=-6)),
        (ValueError, "'sum' and 'mean'", lambda: nn.EmbeddingBag(5, 3, None, 2.0, True, "max")),
        (ValueError, r"got \(3,\)", lambda: nn.EmbeddingBag.from_pretrained(W[0])),
    ],
)
def test_errors(error: Any, message: str, call: Any) -> None:
    with pytest.raises(error, match=message):
        call()


def bag(offsets: Any, factors: Any = None, **how: Any) -> Any:
    return F.embedding_bag(N[0], W, offsets, per_sample_weights=factors, **how)
