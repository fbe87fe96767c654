"""Recurrent layers as the textbooks have them: one sequence and one step after the other."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

Step: TypeAlias = Callable[..., tuple[Any, ...]]
"""From what the input adds to the gates, and the states, to the new states and all gates."""

SPANS = {
    "even": ((0, 2), (2, 4), (4, 6)),
    "even reverse": ((4, 6), (2, 4), (0, 2)),
    "falling": ((0, 3), (3, 5), (5, 6)),
    "falling reverse": ((5, 6), (3, 5), (0, 3)),
}
"""Rows of the steps of three sequences, or two, in the order in which they are taken."""


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def parts(flat: np.ndarray, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """The arrays that lie one behind the other in a flat one."""
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    return [x.reshape(s) for x, s in zip(np.split(flat, ends[:-1]), shapes, strict=True)]


def sequence_by_sequence(
    step: Step, gates: np.ndarray, firsts: Sequence[np.ndarray], spans: Any
) -> list[np.ndarray]:
    """What a step returns, for each row."""
    rows = max(end for _, end in spans)
    found: list[Any] = [None] * rows
    for sequence in range(max(end - start for start, end in spans)):
        states = tuple(first[sequence] for first in firsts)
        for start, end in spans:
            if sequence < end - start:
                made = step(gates[start + sequence], *states)
                states = made[: len(firsts)]
                found[start + sequence] = made
    return [np.stack(parts) for parts in zip(*found, strict=True)]


def lstm_step(weight: np.ndarray, projection: np.ndarray | None = None) -> Step:
    def step(of_x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[Any, ...]:
        i, f, g, o = np.split(of_x + weight @ h, 4)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        return h if projection is None else projection @ h, c, np.stack([i, f, g, o])

    return step


def gru_step(weight: np.ndarray, bias: np.ndarray) -> Step:
    def step(of_x: np.ndarray, h: np.ndarray) -> tuple[Any, ...]:
        of_r, of_u, of_n = np.split(of_x, 3)
        by_r, by_u, m = np.split(weight @ h, 3)
        r, u, m = sigmoid(of_r + by_r), sigmoid(of_u + by_u), m + bias
        n = np.tanh(of_n + r * m)
        return (1 - u) * n + u * h, np.stack([r, u, m, n])

    return step


def rnn_step(weight: np.ndarray, nonlinearity: str) -> Step:
    def step(of_x: np.ndarray, h: np.ndarray) -> tuple[Any, ...]:
        total = of_x + weight @ h
        return (np.tanh(total) if nonlinearity == "tanh" else np.maximum(total, 0),)

    return step
