"""Tensors of what is there: data types, memory, what is refused."""

import array
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.strict_device import strict_device

import distgrad as dg


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, np.float32),
        (2, np.int64),
        (True, np.bool_),
        ([1.0, 2], np.float32),
        ([True, 2], np.int64),
        ([[1, 2], [3, 4]], np.int64),
        ([True, False], np.bool_),
        ([], np.float32),
        ([[], []], np.float32),
        (range(3), np.int64),
        (array.array("d", [1, 2]), np.float32),
        (np.float64(1), np.float64),
        (np.ones(2), np.float64),
        (np.ones(2, np.float16), np.float16),
        (np.arange(3, dtype=np.int32), np.int32),
        (np.arange(3, dtype=">i4"), np.int32),
        ([np.float32(1), 2.0], np.float32),
        ([np.float64(1), 2], np.float64),
        ([np.int8(1), 2], np.int64),
        ([np.ones(2, np.float16), [1, 2]], np.float16),
        ([dg.tensor(1.0), dg.tensor(2.0)], np.float32),
        ([dg.tensor(1.0, requires_grad=True), 2], np.float32),
        ([dg.tensor(1.0, dtype=dg.float64), 2], np.float64),
    ],
)
def test_types_of_tensor(data, dtype) -> None:
    for made in (dg.tensor(data), dg.as_tensor(data), dg.asarray(data)):
        assert made.dtype == dtype
        assert made.data.dtype.isnative
        assert made.is_leaf
    assert dg.tensor(data, dtype=dg.float16).dtype == np.float16


def test_values() -> None:
    assert dg.tensor([[True, 2], [dg.tensor(3), np.int8(4)]]).tolist() == [[1, 2], [3, 4]]
    assert dg.tensor([1.7, -1.7], dtype=dg.int64).tolist() == [1, -1]
    assert dg.tensor([1.7, 0], dtype=bool).tolist() == [True, False]
    assert dg.tensor([-1, 2], dtype=dg.uint8).tolist() == [255, 2]
    assert dg.tensor([2**63], dtype=dg.uint64).tolist() == [2**63]
    assert dg.tensor([1e300]).tolist() == [np.inf]


def test_tensor_copies_and_as_tensor_shares() -> None:
    values = np.ones(3)
    assert not np.shares_memory(dg.tensor(values).data, values)
    assert dg.as_tensor(values).data is values
    assert dg.from_numpy(values).data is values
    x = dg.ones(3)
    assert dg.as_tensor(x) is x
    assert dg.as_tensor(x, dtype=dg.float64).dtype == np.float64
    assert not np.shares_memory(dg.tensor(x).data, x.data)
    assert not np.shares_memory(dg.tensor(x, dtype=dg.float64).data, x.data)


def test_as_tensor_stays_in_the_graph_and_tensor_leaves_it() -> None:
    x = dg.ones(2, requires_grad=True)
    assert dg.as_tensor(x, dtype=dg.float64).grad_fn is not None
    assert dg.as_tensor(x, device="cpu") is x
    assert not dg.tensor(x).requires_grad
    assert not dg.asarray(x).requires_grad


@pytest.mark.parametrize("data", ["text", b"text", None, [1, None], ["a"], {}, {1}, 1j, [1j]])
def test_what_is_no_number_is_refused(data) -> None:
    for make in (dg.tensor, dg.as_tensor, dg.asarray):
        with pytest.raises(TypeError, match="a tensor holds numbers or truth values, got"):
            make(data)


@pytest.mark.parametrize(
    ("data", "dtype", "message"),
    [
        ([300], dg.uint8, "300 does not fit uint8, which holds 0 to 255"),
        ([-300], dg.uint8, "-300 does not fit uint8"),
        ([200], dg.int8, "200 out of bounds for int8; choose another dtype than int8"),
        ([2**63], None, "too large.*choose another dtype than int64"),
        ([float("nan")], dg.int64, "NaN to integer; choose another dtype than int64"),
        ([1e30], dg.int32, "choose another dtype than int32"),
    ],
)
def test_numbers_that_do_not_fit(data, dtype, message) -> None:
    with pytest.raises(RuntimeError, match=message):
        dg.tensor(data, dtype=dtype)


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        ("complex64", "real numbers, not complex64; keep the real and the imaginary part in two"),
        ("longdouble", "of up to 64 bits, not float128|of up to 64 bits, not longdouble"),
        ("M8[s]", "of up to 64 bits, not datetime64"),
        ("hour", "'hour' is no data type; use one of distgrad's, such as distgrad.float32"),
        (3, "3 is no data type"),
    ],
)
def test_data_types_that_tensors_do_not_hold(dtype, message) -> None:
    for make in (dg.zeros, dg.tensor, lambda size, dtype: dg.ones(size).to(dtype=dtype)):
        with pytest.raises(TypeError, match=message):
            make(2, dtype=dtype)


@pytest.mark.parametrize("make", [dg.tensor, dg.as_tensor, dg.asarray, dg.from_numpy])
def test_arrays_of_something_else_are_refused(make) -> None:
    with pytest.raises(TypeError, match="two tensors"):
        make(np.ones(2, complex))
    with pytest.raises(TypeError, match="not object"):
        make(np.array([None, 1]))


def test_from_numpy_needs_a_native_array() -> None:
    for data in ([1, 2], 1.0, np.float64(1), dg.ones(1)):
        with pytest.raises(TypeError, match=r"from_numpy\(\) needs an array, got"):
            dg.from_numpy(data)
    with pytest.raises(TypeError, match=r"byte order, not >f4; tensor\(\) copies"):
        dg.from_numpy(np.ones(2, ">f4"))


def test_read_only_memory_stays_read_only() -> None:
    values = np.ones(2)
    values.flags.writeable = False
    for make in (dg.from_numpy, dg.from_dlpack, dg.asarray):
        with pytest.raises(RuntimeError, match="read-only"):
            make(values).zero_()
    assert dg.tensor(values).zero_().tolist() == [0, 0]


def test_ragged_data_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one length on each level: .*inhomogeneous"):
        dg.tensor([[1, 2], [3]])


def test_asarray_copies_as_asked() -> None:
    values = np.ones(3)
    assert dg.asarray(values).data is values
    assert not np.shares_memory(dg.asarray(values, copy=True).data, values)
    assert dg.asarray(values, copy=False).data is values
    assert dg.asarray(values, dtype=dg.float32).dtype == np.float32
    assert dg.asarray(dg.Tensor(values), requires_grad=True).requires_grad
    for data, dtype in ((values, dg.float32), ([1.0], None)):
        with pytest.raises(ValueError, match=r"asarray\(\) cannot share the memory of .* as float"):
            dg.asarray(data, dtype=dtype, copy=False)


def test_memory_of_others_through_dlpack() -> None:
    values = np.arange(3.0)
    foreign = SimpleNamespace(
        __dlpack__=values.__dlpack__, __dlpack_device__=values.__dlpack_device__
    )
    for make in (dg.from_dlpack, dg.asarray):
        assert np.shares_memory(make(foreign).data, values)
    assert not np.shares_memory(dg.from_dlpack(values, copy=True).data, values)
    with pytest.raises(TypeError, match=r"needs an object with __dlpack__, got list"):
        dg.from_dlpack([1])
    with pytest.raises(TypeError, match="two tensors"):
        dg.from_dlpack(np.ones(2, complex))


@pytest.mark.parametrize(
    "make",
    [
        lambda **where: dg.tensor(1, **where),
        lambda **where: dg.as_tensor(1, **where),
        lambda **where: dg.asarray(1, **where),
        lambda **where: dg.from_dlpack(np.ones(1), **where),
        lambda **where: dg.zeros(1, **where),
        lambda **where: dg.empty(1, **where),
        lambda **where: dg.ones_like(dg.ones(1), **where),
        lambda **where: dg.empty_like(dg.ones(1), **where),
        lambda **where: dg.arange(1, **where),
        lambda **where: dg.linspace(0, 1, 2, **where),
        lambda **where: dg.logspace(0, 1, 2, **where),
        lambda **where: dg.eye(1, **where),
        lambda **where: dg.tril_indices(1, 1, **where),
        lambda **where: dg.rand(1, **where),
        lambda **where: dg.randint(2, (1,), **where),
        lambda **where: dg.randperm(2, **where),
        lambda **where: dg.ones(1).new_tensor([1], **where),
        lambda **where: dg.ones(1).to(**where),
    ],
)
def test_device(make) -> None:
    for place in (None, "cpu", dg.device("cpu"), "cpu:0"):
        assert make(device=place).device == "cpu"
    with strict_device():
        for place, found in (("cuda", "cuda:0"), (dg.device("cuda", 1), "cuda:1")):
            assert make(device=place).device == found
        with pytest.raises(RuntimeError, match="there are 2 GPUs here, cuda:0 to cuda:1"):
            make(device="cuda:2")
    with pytest.raises(RuntimeError, match=r"a device is 'cpu', or 'cuda'.*got 'tpu'"):
        make(device="tpu")


def test_what_does_not_fit_is_infinite_without_a_warning() -> None:
    assert dg.tensor(np.array([1e300]), dtype=dg.float32).tolist() == [np.inf]
    assert dg.as_tensor(np.array([1e300]), dtype=dg.float16).tolist() == [np.inf]
    assert dg.arange(0, 1e39, 5e38).tolist() == [0, np.inf]


def test_pinned_memory_is_memory_of_the_machine() -> None:
    values = np.arange(3.0)
    pinned = SimpleNamespace(__dlpack__=values.__dlpack__, __dlpack_device__=lambda: (3, 0))
    assert dg.from_dlpack(pinned).device == "cpu"
    assert np.shares_memory(dg.from_dlpack(pinned).data, values)
