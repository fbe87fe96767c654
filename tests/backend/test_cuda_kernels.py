"""Kernels in CUDA C, with their launchers, run on the host and compared with the references."""

import gc
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers import emulator
from helpers.kernel_cases import KernelCase, all_cases, arguments, compared
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import distgrad as dg
from distgrad import ops
from distgrad.backend.deferred import deferring
from distgrad.backend.kernels import Kernel, use
from distgrad.backend.kernels.cuda import embedding, load_column
from distgrad.backend.kernels.cuda.draws import placed
from distgrad.backend.kernels.cuda.launching import MOST_BLOCKS, by_column, by_element, launch
from distgrad.backend.random import random_bits
from distgrad.distributed.tree import divided
from distgrad.distributed.tree_addition import tree_mean
from distgrad.nn import functional as F
from distgrad.ops.window import Window
from distgrad.training.models.gpt import GPT

pytestmark = pytest.mark.skipif(
    not emulator.available(), reason="no g++ here to compile CUDA C for the host"
)
COLUMN = load_column()
CASES = list(all_cases())
TOLERANCE = {"float16": 3e-3, "float32": 2e-6, "float64": 4e-15}
KEEPS_TYPE = ("random_bits", "block_power_sums", "kept_elements")


def run(xp: Any, case: KernelCase, dtype: str) -> list[Any]:
    given = arguments(case, dtype)
    with np.errstate(all="ignore"):
        result = COLUMN[case.kernel.name](xp, *given, **case.attributes)
    assert result is not NotImplemented
    return compared(case, given, result)


def expected(case: KernelCase, dtype: str, compute: str) -> list[Any]:
    """What the reference makes of the same values, computing in another data type."""
    given = [
        x.astype(compute) if getattr(x, "dtype", None) == dtype else x
        for x in arguments(case, dtype)
    ]
    with np.errstate(all="ignore"):
        return compared(case, given, case.kernel.reference(np, *given, **case.attributes))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_kernel_computes_what_its_reference_does(xp: ModuleType, case: KernelCase) -> None:
    for dtype in case.types:
        found = run(xp, case, dtype)
        exact = case.exact and dtype != "float16"
        wanted = expected(case, dtype, dtype if exact else "float64")
        for ours, theirs in zip(found, map(np.asarray, wanted), strict=True):
            assert ours.shape == theirs.shape
            assert ours.dtype == dtype or case.kernel.name in KEEPS_TYPE
            if exact:
                np.testing.assert_array_equal(ours, theirs)
            else:
                distance = np.linalg.norm((ours - theirs).ravel())
                assert distance <= TOLERANCE[dtype] * max(np.linalg.norm(theirs.ravel()), 1e-3)
        with emulator.backward():
            again = run(xp, case, dtype)
        for one, other in zip(found, again, strict=True):
            np.testing.assert_array_equal(one, other, "the order of the threads shows")


def test_every_kernel_of_the_column_is_one_of_the_table_and_has_a_case() -> None:
    kernels = {found.name for found in gc.get_objects() if isinstance(found, Kernel)}
    assert set(COLUMN) <= kernels
    assert {case.kernel.name for case in CASES} == set(COLUMN)


def test_what_no_kernel_serves_is_left_to_the_reference(xp: ModuleType) -> None:
    whole, single = np.ones((2, 2), int), np.ones((2, 2), np.float32)
    assert COLUMN["gelu"](xp, whole) is NotImplemented
    assert COLUMN["gelu"](xp, single[:0]) is NotImplemented
    assert COLUMN["gelu_x"](xp, single, whole, "none") is NotImplemented
    moved = (single, None, None, (0,), 1e-5)
    assert COLUMN["normalize"](xp, *moved) is NotImplemented
    wide = np.ones((3, 2, 200))
    assert COLUMN["attention"](xp, wide, 1.0) is NotImplemented
    many = np.broadcast_to(np.float32(0), (3, MOST_BLOCKS + 1, 1, 1, 1))
    assert COLUMN["attention"](xp, many, 1.0) is NotImplemented
    old = SimpleNamespace(compute_capability="75")
    half = SimpleNamespace(dtype=np.dtype("float16"), shape=(3, 1, 1, 4, 8), size=96, device=old)
    assert COLUMN["attention"](xp, half, 1.0) is NotImplemented


def test_images_of_more_elements_than_kernels_count_are_left_to_the_reference(
    xp: ModuleType,
) -> None:
    def zeros(*shape: int) -> Any:
        return np.broadcast_to(np.float32(0), shape)

    side = 1 << 12
    window = Window((3, 3), (1, 1), (1, 1), (1, 1), (side, side))
    x, y, weight = zeros(1, 64, side, side), zeros(1, 1, side, side), zeros(1, 64, 3, 3)
    counts = np.ones(side), np.ones(side)
    assert COLUMN["conv2d"](xp, x, weight, None, window, 1) is NotImplemented
    assert COLUMN["conv2d_weight"](xp, x, y, window, 1) is NotImplemented
    back = COLUMN["conv_transpose2d"](xp, y, weight, None, window, 1, (side, side))
    assert back is NotImplemented
    wide = window._replace(output=(1 << 13, side))
    assert COLUMN["max_pool2d"](xp, x, wide) is NotImplemented
    assert COLUMN["avg_pool2d"](xp, x, wide, counts) is NotImplemented
    size = (1 << 16, 1 << 15)
    assert COLUMN["avg_pool2d_input"](xp, y, window, counts, size) is NotImplemented


def test_a_recorded_draw_is_that_of_the_step_and_micro_batch_of_its_replay(xp: ModuleType) -> None:
    draw = {"seed": 1, "stream": 0}
    with placed(np.array([5, 9], np.uint64)):
        found = COLUMN["random_bits"](xp, (16,), counter=(0, 0, 3), **draw)
    expected = random_bits.reference(np, (16,), counter=(9, 5, 3), **draw)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.kernel.name in ("adam_update", "sgd_update")], ids=str
)
def test_a_step_reads_its_numbers_from_memory(xp: ModuleType, case: KernelCase) -> None:
    for dtype in case.types:
        expected = run(xp, case, dtype)
        given = arguments(case, dtype)
        with deferring() as launches:
            COLUMN[case.kernel.name](xp, *given, **case.attributes)
        (launch,) = launches
        launch.make(np.array(launch.numbers))
        for ours, theirs in zip(compared(case, given, None), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_an_index_that_names_no_row_is_nowhere(xp: ModuleType) -> None:
    order, starts, counts = embedding._places(xp, np.array([0, 6, 2, 5, 1]), 5)
    np.testing.assert_array_equal(counts, [1, 1, 1, 0, 0])
    np.testing.assert_array_equal(starts, [0, 1, 2, 3, 3])
    np.testing.assert_array_equal(order, [0, 4, 2, -1, -1])  # -1: never written


def test_a_sum_of_many_parts_or_of_16_bits_is_left_to_the_reference(xp: ModuleType) -> None:
    for count, dtype in ((9, "float32"), (2, "float16")):
        parts = [np.ones(3, dtype) for _ in range(count + 1)]
        given = {"additions": (0, *[1] * (count - 1)), "divisor": 1.0}
        assert COLUMN["tree_mean"](xp, parts[0], None, *parts[1:], **given) is NotImplemented


@settings(max_examples=40)
@given(st.data())
def test_parts_are_added_up_along_the_tree_wherever_they_lie(
    numpy_with_kernels: ModuleType, data: st.DataObject
) -> None:
    count, ranks = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 5))
    cuts = sorted(data.draw(st.lists(st.integers(0, count), min_size=ranks, max_size=ranks)))
    leaves = [range(a, b) for a, b in zip([0, *cuts], [*cuts, count], strict=True)]
    additions = divided(count, tuple(leaves)).across
    assume(len(additions) <= 8)
    size, first = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 3))
    memory = np.random.default_rng(count).normal(size=(len(additions), first + size))
    parts = list(memory.astype(np.float32)[:, first:])
    out, expected = np.empty((2, size), np.float32)
    given = {"additions": additions, "divisor": float(count) / 3}
    COLUMN["tree_mean"](numpy_with_kernels, out, None, *parts, **given)
    tree_mean.reference(np, expected, None, *[part.copy() for part in parts], **given)
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(parts, memory.astype(np.float32)[:, first:])  # left as they are


class Granting:
    """An array library whose kernels tell how much shared memory they may have, and get."""

    max_dynamic_shared_size_bytes = 0

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def RawModule(self, **_: Any) -> "Granting":
        return self

    def get_function(self, _: str) -> "Granting":
        return self

    def __call__(self, *_: Any, shared_mem: int) -> None:
        self.told.append((self.max_dynamic_shared_size_bytes, shared_mem))


def test_shared_memory_beside_what_a_kernel_declares_is_asked_for() -> None:
    xp = Granting()
    for shared in (0, 33 << 10):
        launch(xp, "attention.attention", np.dtype("float32"), ((1,), (1,)), size=32, shared=shared)
    assert xp.told == [(0, 0), (33 << 10, 33 << 10)]


def test_a_grid_stays_within_its_bounds() -> None:
    for rows in (1, 257, MOST_BLOCKS * 256 + 1, 1 << 32):
        ((grid, _), chunk) = by_column(rows, 33)
        assert grid[1] <= MOST_BLOCKS
        assert grid[1] * chunk >= rows
    assert by_column(257, 33)[0][0] == (2, 2)


def test_a_target_that_is_no_class_is_left_to_the_reference_which_says_so(xp: ModuleType) -> None:
    scores, targets = np.zeros((2, 3), np.float32), np.array([1, 3])
    how = targets, 1, "mean", -100
    assert COLUMN["cross_entropy"](xp, scores, *how) is NotImplemented
    with pytest.raises(IndexError, match="target 3 at index \\(1,\\) is out of range"):
        ops.cross_entropy.forward.reference(np, scores, *how)


def test_the_bits_do_not_depend_on_where_an_array_lies(xp: ModuleType) -> None:
    generator = np.random.default_rng(0)
    memory = np.empty(3 * 77 + 1, np.float32)
    values = generator.normal(size=(3, 77)).astype(np.float32)
    moved = memory[1:].reshape(3, 77)
    moved[...] = values
    given = (None, None, (1,), 1e-5)
    here = COLUMN["normalize"](xp, values, *given)
    np.testing.assert_array_equal(COLUMN["normalize"](xp, moved, *given), here)


def _gpt() -> tuple[Any, Any]:
    model = GPT(context=9, vocabulary=11, width=8, heads=2, layers=2)
    tokens = dg.arange(18).reshape(2, 9) % 11
    return model, lambda: F.cross_entropy(model(tokens).reshape(-1, 11), tokens.reshape(-1))


def _cnn() -> tuple[Any, Any]:
    layers = dg.nn.Conv2d(1, 4, 3, padding=1), dg.nn.MaxPool2d(2), dg.nn.AvgPool2d(2)
    model = dg.nn.Sequential(*layers, dg.nn.Dropout(0.3), dg.nn.Flatten(), dg.nn.Linear(16, 3))
    images = dg.arange(256.0).reshape(4, 1, 8, 8).sin()
    return model, lambda: F.cross_entropy(model(images), dg.arange(4) % 3, reduction="sum")


def _trained(build: Any) -> list[Any]:
    dg.manual_seed(0)
    model, loss = build()
    optimizer = dg.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        loss().backward()
        dg.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return [p.data for p in model.parameters()]


NORMS = {"normalize", "normalize_input", "normalize_weight"}


@pytest.mark.parametrize(("build", "needed"), [(_gpt, NORMS), (_cnn, {"conv2d"})])
def test_a_model_trains_with_the_column_as_without(
    xp: ModuleType, build: Any, needed: set[str]
) -> None:
    used = set()

    def standing_in(name: str) -> Any:
        def run(_: Any, *args: Any, **attributes: Any) -> Any:
            result = COLUMN[name](xp, *args, **attributes)
            if result is not NotImplemented:
                used.add(name)
            return result

        return run

    before = use(np, {})
    try:
        expected = _trained(build)
        use(np, {name: standing_in(name) for name in COLUMN})
        found = _trained(build)
    finally:
        use(np, before)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-4)
    assert len(used) >= 10
    assert needed <= used


def _bfloat16(values: Any) -> Any:
    """The values to the nearest of 16 bits, of two equally near ones the even one."""
    bits = np.asarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def _single(bits: Any) -> Any:
    return (bits.astype(np.uint32) << 16).view(np.float32)


def test_bfloat16_is_computed_in_float32_and_rounded_to_the_nearest(xp: ModuleType) -> None:
    kind = SimpleNamespace(name="bfloat16", itemsize=2)
    x = _bfloat16(np.random.default_rng(0).normal(size=1003) * 3)
    y = np.zeros_like(x)
    shape = by_element(SimpleNamespace(dtype=kind, size=x.size))
    launch(xp, "elementwise.gelu", kind, shape, y, x, 0, x.size)
    wanted = _bfloat16(COLUMN["gelu"](xp, _single(x), "tanh"))
    np.testing.assert_array_equal(y, wanted)


def test_the_matrix_units_take_bfloat16(xp: ModuleType) -> None:
    kind = SimpleNamespace(name="bfloat16", itemsize=2)
    generator = np.random.default_rng(0)
    q, k, v = (_bfloat16(generator.normal(size=(1, 1, 40, 32))) for _ in range(3))
    y, logs = np.zeros_like(q), np.zeros((1, 1, 40), np.float32)
    strides = np.array([40 * 32, 40 * 32, 32] * 4)
    given = y, logs, q, k, v, strides, 1, 40, 40, 32, 0.2, 0
    launch(xp, "tensor_attention.attention", kind, ((1, 1), (32, 4)), *given, size=32)
    exact = ops.attention.forward.reference(np, np.stack([_single(a) for a in (q, k, v)]), 0.2)
    assert np.linalg.norm(_single(y) - exact) < 5e-3 * np.linalg.norm(exact)
