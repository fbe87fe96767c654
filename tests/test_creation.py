"""Functions that make Tensors: data types, shapes, memory, random draws."""

import numpy as np
import pytest

import distgrad as dg


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, np.float32),
        (2, np.int64),
        (True, np.bool_),
        ([1.0, 2], np.float32),
        ([[1, 2], [3, 4]], np.int64),
        ([True, False], np.bool_),
        ([], np.float32),
        (np.float64(1), np.float64),
        (np.ones(2), np.float64),
        (np.ones(2, np.float16), np.float16),
        (np.arange(3, dtype=np.int32), np.int32),
        ([np.float32(1), 2.0], np.float32),
        ([dg.tensor(1.0), dg.tensor(2.0)], np.float32),
    ],
)
def test_types_of_tensor(data, dtype) -> None:
    assert dg.tensor(data).dtype == dtype
    assert dg.as_tensor(data).dtype == dtype
    assert dg.tensor(data, dtype=dg.float16).dtype == np.float16


def test_tensor_copies_and_as_tensor_shares() -> None:
    array = np.ones(3)
    assert not np.shares_memory(dg.tensor(array).data, array)
    assert dg.as_tensor(array).data is array
    assert dg.from_numpy(array).data is array
    x = dg.ones(3)
    assert dg.as_tensor(x) is x
    assert dg.as_tensor(x, dtype=dg.float64).dtype == np.float64
    assert not np.shares_memory(dg.tensor(x).data, x.data)
    assert not np.shares_memory(dg.tensor(x, dtype=dg.float64).data, x.data)


@pytest.mark.parametrize("data", ["text", None, [1, None], ["a"], {}, 1j])
def test_what_is_no_number_is_refused(data) -> None:
    with pytest.raises(TypeError, match="a tensor holds numbers or truth values, got"):
        dg.tensor(data)


def test_from_numpy_needs_an_array() -> None:
    with pytest.raises(TypeError, match=r"from_numpy\(\) needs an array, got list"):
        dg.from_numpy([1, 2])


def test_ragged_data_is_refused() -> None:
    with pytest.raises(ValueError, match="inhomogeneous"):
        dg.tensor([[1, 2], [3]])


@pytest.mark.parametrize("make", [dg.zeros, dg.ones, dg.rand, dg.randn])
def test_sizes_one_by_one_or_as_one(make) -> None:
    for size in [(2, 3), ((2, 3),), ([2, 3],), (np.int64(2), 3)]:
        x = make(*size)
        assert (x.shape, x.dtype, x.requires_grad) == ((2, 3), np.float32, False)
    assert make().shape == make(()).shape == ()
    assert make(0, 2).shape == (0, 2)
    x = make(2, dtype=dg.float64, requires_grad=True)
    assert x.dtype == np.float64
    assert x.requires_grad
    assert x.is_leaf


def test_constants() -> None:
    assert dg.zeros(2).tolist() == [0, 0]
    assert dg.ones(2, dtype=dg.int64).tolist() == [1, 1]
    assert dg.full((2,), 1.5).tolist() == [1.5, 1.5]
    assert dg.full(2, 3).dtype == np.int64
    assert dg.full(2, 3.0).dtype == np.float32
    assert dg.full(2, True).dtype == np.bool_
    assert dg.full(2, 3, dtype=dg.float16).dtype == np.float16
    x = dg.zeros(2, 3, dtype=dg.float64)
    for like in (dg.ones_like(x), dg.zeros_like(x)):
        assert (like.shape, like.dtype) == ((2, 3), np.float64)
    assert dg.ones_like(x, dtype=dg.int32).dtype == np.int32
    assert dg.zeros_like(x, requires_grad=True).requires_grad


def test_arange_and_linspace() -> None:
    assert dg.arange(3).tolist() == [0, 1, 2]
    assert dg.arange(3).dtype == np.int64
    assert dg.arange(1.0, 2.0, 0.25).tolist() == [1, 1.25, 1.5, 1.75]
    assert dg.arange(3.0).dtype == dg.arange(np.float32(3)).dtype == np.float32
    assert dg.arange(5, 0, -2).tolist() == [5, 3, 1]
    assert dg.arange(3, dtype=dg.float64, requires_grad=True).requires_grad
    assert dg.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert dg.linspace(0, 1, 5).dtype == np.float32


def test_draws_are_seeded() -> None:
    dg.manual_seed(1)
    one, two = dg.rand(100), dg.randn(100)
    dg.manual_seed(1)
    assert dg.rand(100).tolist() == one.tolist()
    assert dg.randn(100).tolist() == two.tolist()
    dg.manual_seed(2)
    assert dg.rand(100).tolist() != one.tolist()


def test_draws_are_of_their_distribution() -> None:
    dg.manual_seed(0)
    uniform, normal = dg.rand(100_000).data, dg.randn(100_000).data
    assert uniform.mean() == pytest.approx(0.5, abs=0.01)
    assert uniform.std() == pytest.approx(12**-0.5, abs=0.01)
    assert normal.mean() == pytest.approx(0, abs=0.02)
    assert normal.std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("dtype", [dg.float16, dg.float32, dg.float64])
def test_uniform_draws_stay_below_one(dtype) -> None:
    dg.manual_seed(0)
    x = dg.rand(100_000, dtype=dtype).data  # float16 rounds 1 of 4000 such numbers to 1
    assert x.min() >= 0
    assert x.max() < 1


def test_precisions_draw_the_same_numbers() -> None:
    dg.manual_seed(0)
    single = dg.rand(100).data
    dg.manual_seed(0)
    double = dg.rand(100, dtype=dg.float64).data
    np.testing.assert_allclose(single, double, atol=2**-24)
