"""Recording a loss, and comparing replays of it with eager passes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distgrad.autograd import backward_into, random_scope
from distgrad.tensor import Tensor
from distgrad.tracing import Program, Trace

Loss = Callable[..., Tensor]


def recorded(
    loss: Loss, arrays: Sequence[Any], leaves: Sequence[Tensor], live: Sequence[Tensor] = ()
) -> Program | str:
    """Return the program of a loss, or why it has none."""
    trace = Trace(arrays, [tensor.data for tensor in (*leaves, *live)])
    with random_scope(7, 1, 0), trace.recording():
        total = loss(*map(Tensor, arrays))
        if total.node is not None:
            trace.backward(total, lambda leaf, gradient: None)
    if trace.refusal is None:
        program = Program(trace, leaves, np.dtype(np.float32), total.data, 1.0)
        if trace.refusal is None:
            return program
    assert trace.refusal is not None
    return trace.refusal


def eager(
    loss: Loss, arrays: Sequence[Any], leaves: Sequence[Tensor], words: tuple[int, int, int]
) -> tuple[bytes, list[bytes | None]]:
    """Return the bits of the loss and of the gradients."""
    sums: dict[int, Any] = {}

    def add(leaf: Tensor, gradient: Any) -> None:
        if id(leaf) in sums:
            sums[id(leaf)] += gradient
        else:
            sums[id(leaf)] = np.empty(leaf.shape, np.float32)
            sums[id(leaf)][...] = gradient

    with random_scope(*words):
        total = loss(*map(Tensor, arrays))
        backward_into(total, add)
    found = [sums.get(id(leaf)) for leaf in leaves]
    bits = [None if gradient is None else gradient.tobytes() for gradient in found]
    return np.float64(total.item()).tobytes(), bits


def replayed(
    program: Program,
    arrays: Sequence[Any],
    leaves: Sequence[Tensor],
    words: tuple[int, int, int],
    by_views: bool = True,
) -> tuple[bytes, list[bytes | None]]:
    """Return the same of a replay."""
    views = [np.full(leaf.shape, np.nan, np.float32) for leaf in leaves]
    met = [False] * len(leaves)

    def write(number: int, gradient: Any) -> None:
        # As gradients that are held: the array itself is kept.
        views[number] = views[number] + gradient if met[number] else np.asarray(gradient)
        met[number] = True

    if by_views:
        value, _ = program.into_views(views, arrays, words)
        met = list(map(bool, program.written))
    else:
        value, _ = program.to_writer(write, arrays, words)
    bits = [view.tobytes() if is_met else None for view, is_met in zip(views, met, strict=True)]
    return np.float64(value).tobytes(), bits


def check(
    loss: Loss,
    make: Callable[[np.random.Generator], Sequence[Any]],
    leaves: Sequence[Tensor],
    live: Sequence[Tensor] = (),
    runs: int = 4,
) -> Program:
    """Record a loss, and compare replays with new values of batch and leaves with eager passes."""
    rng = np.random.default_rng(3)
    program = recorded(loss, make(rng), leaves, live)
    assert isinstance(program, Program), program
    with np.errstate(all="ignore"):
        for run in range(runs):
            words = (7, 1 + run // 2, run)
            arrays = make(rng)
            expected = eager(loss, arrays, leaves, words)
            for by_views in (True, False):
                assert replayed(program, arrays, leaves, words, by_views) == expected, by_views
            for leaf in leaves:
                leaf.data += rng.normal(size=leaf.shape).astype(leaf.dtype) / 100
    return program
