"""The modes that copy elements; constants are in tests/functional."""

from typing import Any

import numpy as np
import pytest
from helpers.parity import check_gradients, check_same
from hypothesis import given, settings
from hypothesis import strategies as st

import distgrad as dg
import distgrad.nn.functional as F

NUMPYS = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
CASES = [
    ((1, 3), (1, 2), ("reflect", "replicate")),
    ((2, 3, 4), (3, 2), NUMPYS),
    ((1, 3, 3), (0, 2, 0, 1), ("reflect", "replicate")),
    ((3, 3, 5, 5), (0, 2, 0, 1), NUMPYS),
    ((1, 2, 3, 3, 3), (1, 1, 2, 1, 1, 2), NUMPYS),
    ((1, 3, 4, 4), (-1, 1, -2, 1), NUMPYS),
    ((5, 3, 4, 4), (-4, 5, 0, 0), ("replicate",)),
    ((2, 6, 5, 5), (8, -1, -1, -3), ("replicate",)),
]


@pytest.mark.parametrize(
    ("shape", "pad", "mode"), [(s, p, m) for s, p, modes in CASES for m in modes], ids=str
)
def test_values_and_gradients_of_two_orders_are_pytorchs(shape: Any, pad: Any, mode: str) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    check_gradients([x], lambda m, f, x: f.pad(x, pad, mode))


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(list(NUMPYS)),
    st.lists(
        st.tuples(st.integers(2, 6), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=3
    ),
)
def test_values_are_numpys(mode: str, axes: Any) -> None:
    most = {"reflect": -1, "replicate": 5, "circular": 0}[mode]
    widths = [(min(b, n + most), min(a, n + most)) for n, b, a in axes]
    x = np.random.default_rng(0).standard_normal((1, 2, *(n for n, _, _ in axes)))
    y = F.pad(dg.Tensor(x), [n for pair in reversed(widths) for n in pair], mode)
    np.testing.assert_array_equal(y.data, np.pad(x, [(0, 0), (0, 0), *widths], NUMPYS[mode]))


def test_gradients_by_differences() -> None:
    x = dg.Tensor(np.random.default_rng(0).standard_normal((1, 3, 4)), requires_grad=True)
    for mode in NUMPYS:
        assert dg.autograd.gradcheck(lambda x, m=mode: F.pad(x, (2, 3), m), x)
        assert dg.autograd.gradgradcheck(lambda x, m=mode: F.pad(x, (2, 3), m), x)


def test_copies_are_exact_and_of_any_type() -> None:
    x = dg.tensor([[-0.0, np.inf, np.nan]])
    y = F.pad(x, (1, 1), "reflect").data
    np.testing.assert_array_equal(y, [[np.inf, -0.0, np.inf, np.nan, np.inf]])
    assert np.signbit(y[0, 1])
    for values in ([[1, 2, 3]], [[True, False, True]]):
        padded = F.pad(dg.tensor(values), (0, 1), "replicate")
        assert padded.tolist() == [[*values[0], values[0][-1]]]
        assert padded.dtype == dg.tensor(values).dtype


def test_nothing_added_is_a_copy() -> None:
    x = dg.ones(1, 1, 2)
    y = F.pad(x, (0, 0), "circular")
    assert y.tolist() == x.tolist()
    assert not np.shares_memory(x.data, y.data)


def test_elements_taken_away_first_and_constants_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    x = np.arange(5.0)[None]
    for pad in ((-2, 3), (3, -2), (-5, 1)):
        check_same(F.pad(dg.tensor(x), pad), torch.nn.functional.pad(torch.tensor(x), pad))
    for pad in ((-6, 7), (7, -6)):
        with pytest.raises(RuntimeError):
            torch.nn.functional.pad(torch.tensor(x), pad)
        with pytest.raises(RuntimeError, match=r"takes more than there is of shape \(1, 5\)"):
            F.pad(dg.tensor(x), pad)


@pytest.mark.parametrize(
    ("shape", "arguments", "error", "message"),
    [
        ((2, 3), ((1, 1), "mirror"), ValueError, "mode must be one of .*circular.*, got 'mirror'"),
        ((2, 3), ((1, 1), "reflect", 2.0), ValueError, "'reflect' takes no value, got 2.0"),
        ((2, 3), ((1, 1, 1, 1), "reflect"), ValueError, "got 4 numbers for 2 axes; .* of 1 axes"),
        ((1, 1, 2, 3), ((1, 1), "replicate"), ValueError, "got 2 numbers for 4 axes; .* of 2 axes"),
        ((1, 3), ((3, 0), "reflect"), RuntimeError, r"length 3 .* adds at most 2 .* got \(3, 0\)"),
        ((1, 1, 3), ((0, 4), "circular"), RuntimeError, r"adds at most 3 elements .* got \(0, 4\)"),
        (
            (1, 1, 5),
            ((-2, 4), "circular"),
            RuntimeError,
            r"adds at most 3 elements .* got \(-2, 4\)",
        ),
        ((1, 3), ((-3, 0), "replicate"), RuntimeError, r"leaves at least 1, got \(-3, 0\)"),
        (
            (1, 0),
            ((1, 1), "replicate"),
            RuntimeError,
            r"needs elements to copy, got shape \(1, 0\)",
        ),
        ((1, 0, 2), ((1, 1), "replicate"), RuntimeError, r"got shape \(1, 0, 2\); no axis but"),
    ],
)
def test_what_does_not_fit_is_refused(shape: Any, arguments: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=f"pad: .*{message}"):
        F.pad(dg.ones(*shape), *arguments)


def test_a_batch_of_none() -> None:
    assert F.pad(dg.ones(0, 2, 3), (1, 2), "reflect").shape == (0, 2, 6)
