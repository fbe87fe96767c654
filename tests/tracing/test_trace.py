"""What a recording sees, keeps and refuses, and the code that is made of it."""

import threading
from typing import Any

import numpy as np
import pytest
from helpers.recorded_passes import eager, recorded, replayed

import distgrad as dg
from distgrad import ops
from distgrad.backend.kernels.table import use
from distgrad.backend.listening import beside, constant, kept, listening, unrepeatable
from distgrad.nn import functional as F
from distgrad.tensor import Tensor
from distgrad.tracing import Program, Trace
from distgrad.tracing.guard import guarded
from distgrad.tracing.memory import planned
from distgrad.tracing.simplify import SMALL, simplified
from distgrad.tracing.steps import Slot

OUTSIDE = np.ones(3, np.float32)


def leaf(*shape: int) -> Tensor:
    return Tensor(np.random.default_rng(1).normal(size=shape).astype(np.float32), True)


def test_nobody_listens_behind_a_recording() -> None:
    w, x = leaf(3), np.ones(3, np.float32)
    trace = Trace([x], [w.data])
    with pytest.raises(RuntimeError, match="cannot reshape"), trace.recording():
        Tensor(x).reshape(2)
    with trace.recording():
        assert listening.listener is trace
    assert listening.listener is None
    assert (w * Tensor(x)).data.shape == (3,)
    assert beside(np.negative, x)[0] == -1
    assert constant(x) is x
    assert kept(x) is not x
    unrepeatable("nothing")


def test_another_thread_is_not_listened_to() -> None:
    w, x = leaf(3), np.ones(3, np.float32)
    trace = Trace([x], [w.data])

    def other() -> None:
        (Tensor(np.ones(2, np.float32)) * 2).sum().item()

    with trace.recording():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        (w * Tensor(x)).sum()
    assert trace.refusal is None
    assert trace.steps


def test_arrays_of_tensors_are_guarded_inside_only() -> None:
    told: list[str] = []
    x = Tensor(np.ones(2, np.float32))
    with guarded(told.append):
        assert x.shape == (2,)  # the package's own code
        assert not told
        _ = x.data
        x.data = np.zeros(2, np.float32)
    assert told == [
        "test_arrays_of_tensors_are_guarded_inside_only() reads the array of a Tensor, its .data",
        "test_arrays_of_tensors_are_guarded_inside_only() sets the array of a Tensor, its .data",
    ]
    _ = x.data
    assert len(told) == 2
    assert x.data.tolist() == [0, 0]


def test_a_recording_keeps_no_array_of_the_passes() -> None:
    w, x = leaf(40, 300), np.ones((40, 300), np.float32)
    program = recorded(lambda x: (x * w).exp().square().sum(), [x], [w])
    assert isinstance(program, Program)
    known = program._trace._slots.values()
    assert [slot for found, slot in known if slot.kind == "computed" and found() is not None] == []


def test_only_small_arrays_have_memory_of_their_own() -> None:
    w, x = leaf(100, 300), np.ones((100, 300), np.float32)

    def loss(x: Tensor) -> Tensor:
        y = x * w
        for _ in range(4):
            y = (y + 1) * (y - x).tanh()
        return y.sum() + (y.sum(1) * 2).sum()

    program = recorded(loss, [x], [w])
    assert isinstance(program, Program)
    steps, _ = simplified(program._trace.steps, [program._loss])
    plan = planned(steps, [program._loss], {w: 0}, np.dtype(np.float32))
    own = [
        array
        for slot, array in plan.arrays.items()
        if slot.kind == "computed" and array.base is None
    ]
    assert own
    assert all(array.nbytes <= SMALL for array in own)
    # Nothing large stays behind its last use, and dying ones are written over.
    assert sum(isinstance(out, Slot) for out in plan.outs.values()) > 3
    assert plan.ends
    assert replayed(program, [x], [w], (0, 1, 0)) == eager(loss, [x], [w], (0, 1, 0))


def test_a_gradient_is_computed_where_it_belongs() -> None:
    w, b, x = leaf(4, 8), leaf(4), np.ones((3, 8), np.float32)
    program = recorded(lambda x: F.linear(x, w, b).sum(), [x], [w, b])
    assert isinstance(program, Program)
    steps, _ = simplified(program._trace.steps, [program._loss])
    plan = planned(steps, [program._loss], {w: 0, b: 1}, np.dtype(np.float32))
    assert {out for out in plan.outs.values() if isinstance(out, int)} == {0, 1}
    # Not in another data type, which would round differently.
    plan = planned(steps, [program._loss], {w: 0, b: 1}, np.dtype(np.float64))
    assert not {out for out in plan.outs.values() if isinstance(out, int)}


def test_words_of_draws_are_those_of_the_replay() -> None:
    w, x = leaf(64), np.ones(64, np.float32)

    def loss(x: Tensor) -> Tensor:
        return F.dropout(F.dropout(x * w, 0.3) + x, 0.5).sum()

    program = recorded(loss, [x], [w])
    assert isinstance(program, Program)
    found = set()
    for words in ((1, 2, 3), (2, 2, 3), (1, 3, 3), (1, 2, 4)):
        bits = replayed(program, [x], [w], words)
        assert bits == eager(loss, [x], [w], words)
        found.add(bits[0])
    assert len(found) == 4


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (lambda x: x.sum() * float(x[0]), "a value is read, as item() does"),
        (lambda x: x.sum() * len(x.tolist()), "a value is read, as item() does"),
        (lambda x: (x * x.numpy(force=True)).sum(), "a value is read, as item() does"),
        (lambda x: (x * dg.randn(3)).sum(), "random numbers are drawn, and not by dropout"),
        (lambda x: (x * OUTSIDE).sum(), "an array of shape (3,) comes from outside"),
        (lambda x: (x * dg.tensor(OUTSIDE)).sum(), "an array of shape (3,) comes from outside"),
        (lambda x: dg.autograd.grad((x * x).sum(), x, create_graph=True)[0].sum(), "arrays"),
        (lambda x: x[x > 0].sum(), "how many elements getitem names depends on truth values"),
        (lambda x: x.clone().add_(1).sum(), "add_() changes a Tensor in place"),
    ],
)
def test_refusals(loss: Any, reason: str) -> None:
    w = leaf(3)
    assert reason in str(recorded(lambda: loss(w), [], [w]))


def test_anomaly_mode_is_refused() -> None:
    w = leaf(3)
    with dg.autograd.detect_anomaly():
        assert recorded(w.sum, [], [w]) == "anomaly mode looks at each gradient"


def test_creation_functions_make_constants() -> None:
    w = leaf(3)

    def loss() -> Tensor:
        y = w * dg.arange(3) + dg.zeros(3) + dg.full((3,), 0.5) + dg.tensor([1.0, 2.0, 3.0])
        return (y * dg.ones_like(w)).sum()

    program = recorded(loss, [], [w])
    assert isinstance(program, Program), program
    assert replayed(program, [], [w], (0, 1, 0)) == eager(loss, [], [w], (0, 1, 0))


@pytest.mark.parametrize("bad", [7, -1])
def test_a_kernel_that_declines_ends_the_replay(bad: int) -> None:
    """What it would have refused with its reference, later kernels do not look at."""
    found = ops.cross_entropy.forward.reference

    def classes(xp: Any, x: Any, target: Any, **attributes: Any) -> Any:
        if target.min() < 0 or target.max() >= x.shape[1]:
            return NotImplemented
        return found(xp, x, target, **attributes)

    w, x, target = leaf(4, 3), np.ones((2, 4), np.float32), np.array([1, 2])
    before = use(np, {"cross_entropy": classes})
    try:
        program = recorded(lambda x, y: F.cross_entropy(x @ w, y), [x, target], [w])
        assert isinstance(program, Program)
        for by_views in (True, False):
            replayed(program, [x, target], [w], (0, 1, 0), by_views)
            with pytest.raises(Exception, match="classes"):
                replayed(program, [x, np.array([1, bad])], [w], (0, 1, 0), by_views)
    finally:
        use(np, before)


@pytest.mark.parametrize("way", ["declined", "elsewhere"])
def test_a_kernel_that_does_not_fill_its_place_ends_the_replay(way: str) -> None:
    def product(xp: Any, a: Any, b: Any, into: Any = None) -> Any:
        if not np.isfinite(a).all():
            return NotImplemented if way == "declined" else np.matmul(a, b)
        return xp.matmul(a, b) if into is None else xp.matmul(a, b, out=into)

    w, x = leaf(4, 3), np.ones((2, 4), np.float32)
    before = use(np, {"matmul": product})
    try:
        program = recorded(lambda x: (x @ w).square().sum(), [x], [w])
        assert isinstance(program, Program)
        assert replayed(program, [x], [w], (0, 1, 0)) == eager(
            lambda x: (x @ w).square().sum(), [x], [w], (0, 1, 0)
        )
        with pytest.raises(Exception, match="product"):
            replayed(program, [x * np.float32(np.nan)], [w], (0, 1, 0))
    finally:
        use(np, before)
