"""The column compiled by numba beside the references: values, layouts, the same bits anywhere."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ops.cases import Case
from ops.samples import SAMPLES

import distgrad as dg
from distgrad import ops
from distgrad.backend.kernels import Kernel, use, use_kernels
from distgrad.nn import functional as F
from distgrad.nn.utils.clip_grad import power_sum
from distgrad.ops.norm import moments
from distgrad.optim.adagrad import adagrad_update
from distgrad.optim.adam import adam_update
from distgrad.optim.lamb import lamb_measure, lamb_update
from distgrad.optim.lars import lars_update
from distgrad.optim.lion import lion_update
from distgrad.optim.rmsprop import rmsprop_update
from distgrad.optim.sgd import sgd_update

pytest.importorskip("numba")

COLUMN: dict[str, Callable[..., Any]] = {}


@pytest.fixture(scope="module", autouse=True)
def column() -> Iterator[None]:
    """Have the column at hand, and the references in use."""
    use_kernels("numba")
    COLUMN.update(use(np, {}))
    yield
    use_kernels("numpy")


IN_TABLE = sorted(name for name in SAMPLES if isinstance(getattr(ops, name).forward, Kernel))
CASES = [
    pytest.param(name, case, id=f"{name} {case}")
    for name in IN_TABLE
    for case in SAMPLES[name].cases
]


def both(name: str, inputs: Any, attributes: dict[str, Any]) -> tuple[Any, Any]:
    """What the column and the reference make of a call; one for both where it is not served."""
    expected = getattr(ops, name).forward.reference(np, *inputs, **attributes)
    if name not in COLUMN:
        return expected, expected
    found = COLUMN[name](np, *inputs, **attributes)
    return expected if found is NotImplemented else found, expected


def in_type(case: Case, dtype: Any) -> list[Any]:
    return [
        x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x
        for x in case.inputs
    ]


def assert_near(found: Any, expected: Any, tolerance: float = 2e-6) -> None:
    if isinstance(expected, tuple):
        for a, b in zip(found, expected, strict=True):
            assert_near(a, b)
        return
    assert np.shape(found) == np.shape(expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_rows_of_every_op_in_the_table(name: str, case: Case, dtype: Any) -> None:
    assert_near(*both(name, in_type(case, dtype), case.attributes))


@pytest.mark.parametrize(("name", "case"), CASES)
def test_arrays_of_any_layout(name: str, case: Case) -> None:
    strided = []
    for x in in_type(case, np.float32):
        if isinstance(x, np.ndarray) and x.ndim and x.dtype.kind == "f":
            room = np.full((*x.shape[::-1], 2), np.nan, x.dtype)
            room[..., 0] = x.T
            x = room[..., 0].T
        strided.append(x)
    assert_near(*both(name, strided, case.attributes))


# Calls of every length: what is left over beside whole vectors, and sums over many terms.


def values(*shape: int, scale: float = 2.0, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng([seed, *shape])
    return (generator.standard_normal(shape) * scale).astype(np.float32)


def classes(rows: int, width: int) -> dict[str, Any]:
    target = np.random.default_rng(rows).integers(0, width, rows)
    target[:: rows // 2 + 1] = -1
    return {"target": target, "axis": 1, "ignore_index": -1, "weight": None}


def normal(rows: int, width: int) -> tuple[np.ndarray, ...]:
    return values(rows, width), values(rows, width, seed=1), values(width), values(width, seed=1)


def calls(rows: int, width: int) -> dict[str, tuple[tuple[Any, ...], dict[str, Any]]]:
    """A call of every kernel of an op, on matrices of a size."""
    x, g, weight, bias = normal(rows, width)
    above = np.full((), 0.5, np.float32)
    of_rows = {"axes": (1,), "eps": 1e-5}
    p = ops.softmax.forward.reference(np, x, axis=0)
    by = classes(rows, width)
    indices = np.random.default_rng(0).integers(0, 7, rows)
    table = {"indices": indices, "padding": 3, "rows": 7, "by_frequency": False}
    return {
        "attention_weights": ((x,), {}),
        "cross_entropy": ((x,), {"reduction": "mean", **by}),
        "cross_entropy_x": ((above, x), {"reduction": "sum", **by}),
        "dropout": ((x, p > 0.3), {"scale": np.float32(2)}),
        "dropout_add": ((x, g, p > 0.3), {"scale": np.float32(2)}),
        "embedding_table": ((g,), table),
        "gelu": ((x,), {"approximate": "none"}),
        "gelu_x": ((g, x), {"approximate": "none"}),
        "moments": ((x,), {"axes": (1,)}),
        "mse_loss": ((x, g), {"reduction": "mean"}),
        "mse_loss_x": ((above, x, g), {"reduction": "sum"}),
        "normalize": ((x, weight, bias), of_rows),
        "normalize_input": ((g, x, weight), of_rows),
        "normalize_weight": ((g, x), of_rows),
        "relu_x": ((g, np.maximum(x, 0)), {}),
        "rms_normalize": ((x,), of_rows),
        "rms_normalize_input": ((g, x), of_rows),
        "softmax": ((x,), {"axis": 1}),
        "softmax_x": ((g, p), {"axis": 0}),
    }


NAMES = sorted(calls(2, 2))


def reference(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = (
        moments.reference if name == "moments" else getattr(ops, name).forward.reference
    )
    return found


@pytest.mark.parametrize("name", NAMES)
@given(rows=st.integers(1, 40), width=st.integers(1, 300))
def test_any_size(name: str, rows: int, width: int) -> None:
    args, attributes = calls(rows, width)[name]
    exact = [
        x.astype(np.float64) if isinstance(x, np.ndarray) and x.dtype == np.float32 else x
        for x in args
    ]
    found = COLUMN[name](np, *args, **attributes)
    expected = reference(name)(np, *exact, **attributes)
    for a, b in zip(found, expected, strict=True) if name == "moments" else [(found, expected)]:
        assert np.asarray(a).dtype == np.float32
        # What differs by much from its neighbours is divided by little in narrow rows.
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=3e-5 * max(1, np.max(np.abs(b))))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bits_wherever_arrays_lie(name: str) -> None:
    args, attributes = calls(9, 77)[name]
    expected = COLUMN[name](np, *args, **attributes)
    for shift in range(1, 17):
        moved = [shifted(x, shift * (place + 1)) for place, x in enumerate(args)]
        np.testing.assert_array_equal(COLUMN[name](np, *moved, **attributes), expected)


def shifted(x: Any, elements: int) -> Any:
    """The array at an address that is by some elements another one within a cache line."""
    if not isinstance(x, np.ndarray) or x.dtype != np.float32:
        return x
    room = np.empty(x.size + 64, x.dtype)
    start = -(room.ctypes.data // 4) % 16 + elements % 16
    moved = room[start : start + x.size].reshape(x.shape)
    moved[...] = x
    return moved


@pytest.mark.parametrize("name", ["gelu", "normalize", "rms_normalize", "softmax"])
def test_the_same_bits_whatever_stands_beside_a_row(name: str) -> None:
    args, attributes = calls(9, 77)[name]
    together = COLUMN[name](np, *args, **attributes)
    for row in range(9):
        alone = COLUMN[name](np, args[0][row : row + 1], *args[1:], **attributes)
        np.testing.assert_array_equal(alone[0], together[row])


# Arrays that compiled code does not take


def read_only(x: Any) -> Any:
    x = x.copy()
    x.flags.writeable = False
    return x


def unaligned(x: Any) -> Any:
    room = np.empty(x.nbytes + 1, np.uint8)
    moved = room[1 - room.ctypes.data % 2 :][: x.nbytes].view(x.dtype).reshape(x.shape)
    moved[...] = x
    return moved


@pytest.mark.parametrize("moved", [read_only, unaligned])
@pytest.mark.parametrize("name", NAMES)
def test_arrays_that_cannot_be_written_to(name: str, moved: Any) -> None:
    args, attributes = calls(9, 77)[name]
    expected = COLUMN[name](np, *args, **attributes)
    if name == "embedding_table":
        attributes = {**attributes, "indices": moved(attributes["indices"])}
    args = tuple([moved(x) if isinstance(x, np.ndarray) else x for x in args])
    np.testing.assert_array_equal(COLUMN[name](np, *args, **attributes), expected)


def test_what_is_read_only_and_not_copied_is_left_to_the_reference() -> None:
    x = values(4, 3)
    given = {"reduction": "sum", **classes(4, 3)}
    given["target"] = read_only(given["target"])
    assert COLUMN["cross_entropy"](np, x, **given) is NotImplemented
    param, grad = np.ones(2, np.float32), read_only(np.ones(2, np.float32))
    options = {**SGD, "nesterov": False, "maximize": False}
    assert COLUMN["sgd_update"](np, None, None, param, grad, **options) is NotImplemented


def test_a_gradient_that_is_one_number_everywhere() -> None:
    before = use(np, COLUMN)
    try:
        x = dg.tensor([1.0], requires_grad=True)
        F.relu(x).sum().backward()
        assert x.grad is not None
        assert x.grad.tolist() == [1.0]
    finally:
        use(np, before)


# What is no ordinary number


OTHER_NANS = np.array([0xFFFFFFFF, 0x7FC00001], np.uint32).view(np.float32)
SPECIAL = np.array([np.nan, np.inf, -np.inf, -100.0, -88.5, -0.0, 0.0, 1e-40, 88.5], np.float32)
SPECIAL = np.concatenate([SPECIAL, OTHER_NANS])


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_of_what_is_not_finite(approximate: str) -> None:
    for name, args in (("gelu", (SPECIAL,)), ("gelu_x", (np.ones_like(SPECIAL), SPECIAL))):
        with np.errstate(all="ignore"):
            found, expected = both(name, args, {"approximate": approximate})
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_softmax_of_what_is_not_finite() -> None:
    x = values(6, 40)
    x[0, 3], x[1, 5], x[2], x[3, 7] = np.nan, -np.inf, -np.inf, np.inf
    x[4, 2], x[5, 39] = OTHER_NANS
    with np.errstate(all="ignore"):
        for axis in (0, 1):
            assert_near(*both("softmax", (x,), {"axis": axis}))
            assert_near(*both("softmax", (x.T,), {"axis": axis}))
        assert np.isnan(both("softmax", (x,), {"axis": 1})[0][[0, 2, 3, 4, 5]]).all()


def test_attention_that_may_look_nowhere() -> None:
    scores = values(5, 20)
    scores[:, 3] = -np.inf
    scores[2:, 4] = -np.inf
    found, expected = both("attention_weights", (scores,), {})
    assert_near(found, expected)
    assert not found[:, 3].any()
    assert not found[2:, 4].any()


def test_relu_lets_nan_through() -> None:
    out = np.maximum(SPECIAL, 0)
    found, expected = both("relu_x", (np.full_like(SPECIAL, np.inf), out), {})
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_where_all_targets_are_ignored(reduction: str) -> None:
    given = {"reduction": reduction, **classes(4, 3), "target": np.full(4, -1)}
    found, expected = both("cross_entropy", (values(4, 3),), given)
    np.testing.assert_array_equal(found, expected)
    above = np.ones(np.shape(expected), np.float32)
    np.testing.assert_array_equal(*both("cross_entropy_x", (above, values(4, 3)), given))


def test_the_mean_of_many_squares_keeps_its_digits() -> None:
    x = np.full(1 << 21, 0.1, np.float32)
    found = COLUMN["mse_loss"](np, x, np.zeros_like(x), reduction="mean")
    np.testing.assert_allclose(found, np.float64(x[0]) ** 2, rtol=3e-6)


def test_a_target_that_is_no_class_is_left_to_the_reference() -> None:
    given = {"reduction": "sum", **classes(2, 3), "target": np.array([0, 3])}
    assert COLUMN["cross_entropy"](np, values(2, 3), **given) is NotImplemented
    with pytest.raises(IndexError, match=r"cross_entropy: target 3 at index \(1,\) .* 3 classes"):
        both("cross_entropy", (values(2, 3),), given)


# What changes arrays in place


ADAM = {"beta1": 0.9, "beta2": 0.99, "step_size": 0.1, "eps": 1e-8, "shrink": 0.9}
LAMB = {"scale": 0.9, "eps": 1e-8, "weight_decay": 0.1}
LION = {"beta1": 0.9, "beta2": 0.99, "lr": 0.1}
RMSPROP = {"lr": 0.1, "alpha": 0.9, "eps": 1e-8, "centered": False}
SGD = {"lr": 0.1, "momentum": 0.9, "gain": 0.7, "weight_decay": 0.1}
UPDATES = [
    (adam_update, 2, {**ADAM, "weight_decay": 0.0, "maximize": False}),
    (adam_update, 2, {**ADAM, "weight_decay": 0.1, "maximize": True}),
    (adam_update, 3, {**ADAM, "weight_decay": 0.1, "maximize": False}),
    (sgd_update, 0, {**SGD, "nesterov": False, "maximize": False}),
    (sgd_update, 1, {**SGD, "nesterov": False, "maximize": True}),
    (sgd_update, 1, {**SGD, "gain": 1.0, "nesterov": True, "maximize": False}),
    (lars_update, 0, {"rate": 0.1, "momentum": 0, "weight_decay": 0.1, "maximize": False}),
    (lars_update, 1, {"rate": 0.1, "momentum": 0.9, "weight_decay": 0.1, "maximize": True}),
    (lamb_measure, 2, {**LAMB, "beta1": 0.9, "beta2": 0.99, "maximize": True}),
    (lamb_update, 2, {**LAMB, "rate": 0.1}),
    (adagrad_update, 1, {"rate": 0.1, "weight_decay": 0.0, "eps": 1e-8, "maximize": True}),
    (adagrad_update, 1, {"rate": 0.1, "weight_decay": 0.1, "eps": 1e-8, "maximize": False}),
    (rmsprop_update, 1, {**RMSPROP, "momentum": 0.0, "weight_decay": 0.0, "maximize": True}),
    (rmsprop_update, 2, {**RMSPROP, "momentum": 0.9, "weight_decay": 0.1, "maximize": False}),
    (lion_update, 1, {**LION, "now": 0.1, "later": 0.01, "shrink": 1.0}),
    (lion_update, 1, {**LION, "now": -0.1, "later": -0.01, "shrink": 0.9}),
]


def blocks(size: int, states: int, dtype: Any = np.float32) -> list[np.ndarray]:
    """Scratch, parameter, gradient and positive state."""
    state = [np.abs(values(size, seed=2 + place)) for place in range(states)]
    arrays = [*(np.empty(size, dtype) for _ in range(2)), values(size), values(size, seed=1)]
    return [x.astype(dtype) for x in (*arrays, *state)]


@pytest.mark.parametrize(("update", "states", "options"), UPDATES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 50])
def test_updates(update: Any, states: int, options: dict[str, Any], dtype: Any, size: int) -> None:
    expected, found = (blocks(size, states, dtype) for _ in range(2))
    told = update.reference(np, *expected, **options)
    answer = COLUMN[update.name](np, *found, **options)
    if answer is NotImplemented:
        answer = update.reference(np, *found, **options)
        assert dtype == np.float64 or states in (0, 3)
    for a, b in zip(found[2:], expected[2:], strict=True):
        assert_near(a, b)
    assert (answer is None) == (told is None)
    if told is not None:
        assert_near(answer, told)


@pytest.mark.parametrize(("update", "states", "options"), UPDATES)
def test_an_update_gives_each_element_the_same_bits_wherever_a_block_ends(
    update: Any, states: int, options: dict[str, Any]
) -> None:
    whole, parts = blocks(211, states), blocks(211, states)
    use(np, COLUMN)
    update(np, *whole, **options)
    for start, stop in ((0, 1), (1, 18), (18, 96), (96, 211)):
        update(np, *(array[start:stop] for array in parts), **options)
    use(np, {})
    for a, b in zip(parts[2:], whole[2:], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("beta2", [0.999, 0.9999])
@pytest.mark.parametrize("options", [UPDATES[0], UPDATES[8]])
def test_a_first_mean_of_squares_keeps_its_digits(options: Any, beta2: float) -> None:
    update, states, given = options
    arrays = blocks(50, states)
    arrays[-1][...] = 0
    wanted = arrays[3].astype(np.float64) ** 2 * (1 - beta2)
    COLUMN[update.name](np, *arrays, **{**given, "beta2": beta2})
    np.testing.assert_allclose(arrays[-1], wanted, rtol=1e-6)


def test_a_parameter_that_overflows_stays_infinite() -> None:
    param, grad = np.array([np.inf, 1], np.float32), np.ones(2, np.float32)
    options = {**SGD, "weight_decay": 0.0, "nesterov": False, "maximize": False}
    COLUMN["sgd_update"](np, None, None, param, grad, **options)
    np.testing.assert_array_equal(param, np.array([np.inf, 0.9], np.float32))


def test_a_centered_mean_of_squares_is_left_to_the_reference() -> None:
    arrays = blocks(9, 2)
    options = {**RMSPROP, "momentum": 0.0, "weight_decay": 0.0, "maximize": False}
    found = COLUMN["rmsprop_update"](np, *arrays, **{**options, "centered": True})
    assert found is NotImplemented


def test_the_sign_of_what_is_no_number_is_none() -> None:
    param, grad = np.zeros(3, np.float32), np.array([np.nan, 0, 2], np.float32)
    options = {**LION, "now": 0.1, "later": 0.01, "shrink": 1.0}
    COLUMN["lion_update"](np, None, None, param, grad, np.zeros(3, np.float32), **options)
    np.testing.assert_array_equal(param, np.array([np.nan, 0, -0.1], np.float32))


@pytest.mark.parametrize("size", [0, 1, 17, 65536])
def test_power_sums(size: int) -> None:
    block = values(size)
    found = COLUMN["power_sum"](np, block, None, norm_type=2.0)
    expected = power_sum.reference(np, block, np.empty(size), norm_type=2.0)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert found == COLUMN["power_sum"](np, shifted(block, 3), None, norm_type=2.0)
    assert COLUMN["power_sum"](np, block, None, norm_type=1.0) is NotImplemented


# What follows a product or a draw: the bits of the operations one after another


@given(rows=st.integers(1, 40), width=st.integers(1, 300))
def test_dropout_and_its_sum_have_the_bits_of_the_reference(rows: int, width: int) -> None:
    kept = np.random.default_rng(width).random((rows, width)) < 0.6
    x, residual, scale = values(rows, width), values(rows, width, seed=1), np.float32(1 / 0.6)
    for name, inputs in (("dropout", (x,)), ("dropout_add", (x, residual))):
        expected = getattr(ops, name).forward.reference(np, *inputs, kept, scale=scale)
        found = COLUMN[name](np, *inputs, kept, scale=scale)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)


def test_each_place_of_the_code_has_a_cache_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distgrad.backend.kernels.compiled import cache

    here = cache._key()
    for path in Path(cache.__file__).parent.glob("*.py"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
    assert cache._key() != here
