"""Functions that make Tensors: PyTorch's values, data types and refusals."""

import numpy as np
import pytest

import distgrad as dg

torch = pytest.importorskip("torch")

NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
CALLS = {
    "tensor": [([1, 2.5],), ([True, 2],), ([[1], [2]],), (3,), ([],), ([[], []],), (range(3),)],
    "full": [((2,), 3), ((2, 1), 2.5), ((), True), ((0,), 1), ((2,), float("inf"))],
    "zeros": [(2, 3), ((2, 3),), (0,), (-1,)],
    "arange": [(4,), (1, 4), (1, 9, 3), (9, 1, -3), (0.5, 4, 1.1), (3, 3), (1, 3, -1), (1, 3, 0)],
    "linspace": [(0, 10, 5), (-3.3, 3.8, 7), (1, -6, 7), (0, 1, -1)],
    "logspace": [(0, 2, 3), (0, 3, 4, 2.0), (1, 0, 2), (0, 1, -1)],
    "eye": [(3,), (2, 3), (3, 0), (-1,)],
    "tril_indices": [(3, 3), (2, 4, 1), (4, 2, -1), (0, 2), (-1, 2)],
    "triu_indices": [(3, 3), (2, 4, 1), (4, 2, -1), (2, 0), (2, -1)],
}
REFUSED = (TypeError, ValueError, RuntimeError, OverflowError)


@pytest.mark.parametrize(
    ("name", "args"), [(name, args) for name, calls in CALLS.items() for args in calls]
)
def test_values_and_types(name: str, args: tuple) -> None:
    for dtype in [None, *NAMES]:
        own = {} if dtype is None else {"dtype": dtype}
        theirs = {} if dtype is None else {"dtype": getattr(torch, dtype)}
        try:
            expected = getattr(torch, name)(*args, **theirs)
        except REFUSED:
            with pytest.raises(REFUSED):
                getattr(dg, name)(*args, **own)
            continue
        found = getattr(dg, name)(*args, **own)
        assert found.dtype.name == str(expected.dtype)[6:]
        tolerance = 2e-3 if dtype == "float16" else 1e-6
        np.testing.assert_allclose(found.data, expected.numpy(), rtol=tolerance, atol=tolerance)
        assert found.shape == tuple(expected.shape)


@pytest.mark.parametrize("dtype", NAMES)
@pytest.mark.parametrize("value", [0, 1, -1, 300, -300, 1e5, 1e300, 2.7, np.nan, np.inf, True])
def test_numbers_that_fit(dtype, value) -> None:
    try:
        expected = torch.full((2,), value, dtype=getattr(torch, dtype)).numpy()
    except REFUSED:
        with pytest.raises(REFUSED, match="does not fit"):
            dg.full((2,), value, dtype=dtype)
    else:
        np.testing.assert_array_equal(dg.full((2,), value, dtype=dtype).data, expected)


@pytest.mark.parametrize(
    "data",
    [
        [np.float64(1), 2],
        [np.float32(1), 2.5],
        [np.int8(1), 2],
        [np.bool_(True)],
        [np.ones(2, np.float32), [1, 2]],
        np.float16(3),
        np.arange(3, dtype=np.uint8),
        np.ones((2, 0)),
    ],
)
@pytest.mark.filterwarnings("ignore:Creating a tensor from a list")
def test_types_of_typed_data(data) -> None:
    for make in ("tensor", "as_tensor"):
        expected = getattr(torch, make)(data)
        found = getattr(dg, make)(data)
        assert found.dtype.name == str(expected.dtype)[6:]
        np.testing.assert_array_equal(found.data, expected.numpy())


def test_copies_as_in_torch() -> None:
    array = np.ones(2, np.float32)
    for lib in (dg, torch):
        assert lib.as_tensor(array).numpy() is array or np.shares_memory(
            lib.as_tensor(array).numpy(), array
        )
        assert not np.shares_memory(lib.tensor(array).numpy(), array)
        assert np.shares_memory(lib.from_numpy(array).numpy(), array)
        assert np.shares_memory(lib.asarray(array).numpy(), array)
        assert not np.shares_memory(lib.asarray(array, copy=True).numpy(), array)
        x = lib.ones(2, requires_grad=True)
        assert not lib.as_tensor(x, dtype=lib.float64).is_leaf
        assert lib.tensor(array, requires_grad=True).is_leaf


FUNCTIONS = """
    tensor as_tensor asarray from_numpy from_dlpack zeros ones full empty zeros_like ones_like
    full_like empty_like arange linspace logspace eye tril_indices triu_indices rand randn
    randint randperm rand_like randn_like randint_like normal bernoulli multinomial
    cartesian_prod combinations vander bincount bucketize histc searchsorted is_tensor
    is_floating_point numel finfo iinfo can_cast promote_types result_type get_default_dtype
    set_default_dtype set_printoptions device bool half float double short int long uint8 int8
    int16
"""
METHODS = """
    numpy item tolist to type type_as cpu cuda half float double byte char short int long bool
    is_floating_point is_complex is_signed element_size itemsize nbytes nelement ndimension stride
    data_ptr device is_cpu is_cuda new_tensor new_zeros new_ones new_full new_empty bernoulli
    multinomial bincount histc normal_ log_normal_ cauchy_ uniform_ exponential_ geometric_
    bernoulli_ random_ __dlpack__ __dlpack_device__ __contains__ __reversed__ __format__
"""


def test_names() -> None:
    for name in FUNCTIONS.split():
        assert name in dg.__all__
        assert hasattr(torch, name)
    for name in METHODS.split():
        assert hasattr(dg.Tensor, name)
        assert hasattr(torch.Tensor, name)
