"""Tensors of one number: sizes, data types, what they hold."""

import numpy as np
import pytest

import distgrad as dg


@pytest.mark.parametrize("make", [dg.zeros, dg.ones, dg.empty, dg.rand, dg.randn])
def test_sizes_one_by_one_or_as_one(make) -> None:
    for size in [(2, 3), ((2, 3),), ([2, 3],), (np.int64(2), 3), (dg.tensor(2), 3)]:
        x = make(*size)
        assert (x.shape, x.dtype, x.requires_grad) == ((2, 3), np.float32, False)
    assert make(size=(2, 3)).shape == (2, 3)
    assert make().shape == make(()).shape == ()
    assert make(0, 2).shape == (0, 2)
    x = make(2, dtype=dg.float64, requires_grad=True)
    assert x.dtype == np.float64
    assert x.requires_grad
    assert x.is_leaf


@pytest.mark.parametrize(
    "make",
    [
        *(dg.zeros, dg.ones, dg.empty, dg.rand, dg.randn),
        *(dg.ones(1).new_zeros, dg.ones(1).new_empty),
        lambda *size: dg.full(size, 1),
        lambda *size: dg.randint(3, size),
    ],
)
def test_sizes_are_integers_that_are_not_negative(make) -> None:
    with pytest.raises(RuntimeError, match=r"sizes must not be negative, got \(2, -1\)"):
        make(2, -1)
    with pytest.raises(TypeError, match=r"sizes are integers, one by one or as a tuple, got"):
        make(2.5, 3)


def test_constants() -> None:
    assert dg.zeros(2).tolist() == [0, 0]
    assert dg.ones(2, dtype=dg.int64).tolist() == [1, 1]
    assert dg.ones(2, dtype=bool).tolist() == [True, True]
    assert dg.full((2,), 1.5).tolist() == [1.5, 1.5]
    assert dg.full(2, 3).dtype == np.int64
    assert dg.full(2, 3.0).dtype == np.float32
    assert dg.full(2, True).dtype == np.bool_
    assert dg.full(2, dg.tensor(3.0)).tolist() == [3, 3]
    assert dg.full(2, 3, dtype=dg.float16).dtype == np.float16
    assert dg.full(2, -1, dtype=dg.uint8).tolist() == [255, 255]
    assert dg.full(2, 1.7, dtype=dg.int8).tolist() == [1, 1]
    assert np.signbit(dg.full(2, -0.0).data).all()


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (300, dg.uint8, "300 does not fit uint8, which holds 0 to 255"),
        (1e300, None, "does not fit float32, which holds -3.4"),
        (1e5, dg.float16, "100000.0 does not fit float16, which holds -65504.0 to 65504.0"),
        (float("nan"), dg.int64, "nan does not fit int64"),
        (2**64, dg.float16, "does not fit float16"),
    ],
)
def test_values_that_do_not_fit(value, dtype, message) -> None:
    with pytest.raises(RuntimeError, match=message):
        dg.full((2,), value, dtype=dtype)
    with pytest.raises(RuntimeError, match=message):
        dg.ones(1).new_full((2,), value, dtype=dtype)


def test_infinities_fit() -> None:
    assert dg.full((1,), float("inf"), dtype=dg.float16).tolist() == [np.inf]


def test_only_numbers_fill() -> None:
    with pytest.raises(TypeError, match="filled with a number, got str 'a'"):
        dg.full((2,), "a", dtype=dg.float32)


@pytest.mark.parametrize(
    "like",
    [
        *(dg.zeros_like, dg.ones_like, dg.empty_like, dg.rand_like, dg.randn_like),
        lambda x, **named: dg.full_like(x, 1, **named),
        lambda x, **named: dg.randint_like(x, 3, **named),
    ],
)
def test_models(like) -> None:
    x = dg.zeros(2, 3, dtype=dg.float64)
    assert (like(x).shape, like(x).dtype, like(x).requires_grad) == ((2, 3), np.float64, False)
    assert like(x, dtype=dg.float16).dtype == np.float16
    assert like(x, requires_grad=True).requires_grad
    assert like(dg.ones(2, requires_grad=True)).requires_grad is False
    assert like(x.T).is_contiguous()


@pytest.mark.parametrize(
    ("dtype", "forgotten"),
    [(dg.float16, np.nan), (dg.float64, np.nan), (dg.int8, 127), (dg.uint8, 255), (bool, True)],
)
def test_empty_never_holds_what_memory_held(dtype, forgotten) -> None:
    for made in (
        dg.empty(64, 64, dtype=dtype),
        dg.empty_like(dg.ones(64), dtype=dtype),
        dg.ones(1).new_empty(64, dtype=dtype),
    ):
        np.testing.assert_array_equal(made.data, np.full(made.shape, forgotten, dtype))


def test_new_ones_follow_a_tensor() -> None:
    x = dg.ones(2, dtype=dg.int8)
    assert x.new_tensor([1.5, 2]).tolist() == [1, 2]
    assert x.new_zeros(2, 3).dtype == x.new_ones((2, 3)).dtype == np.int8
    assert x.new_full((2,), 3).tolist() == [3, 3]
    assert x.new_ones(2, dtype=dg.float32, requires_grad=True).requires_grad
    values = np.ones(2, np.int8)
    assert not np.shares_memory(x.new_tensor(values).data, values)
    with pytest.raises(RuntimeError, match="floating-point"):
        x.new_zeros(2, requires_grad=True)
