"""One pass over all steps of all sequences: a layer of an RNN, LSTM or GRU in one direction."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np

from distgrad import ops
from distgrad.backend import array_namespace
from distgrad.backend.listening import constant
from distgrad.functional import cat
from distgrad.nn import functional
from distgrad.tensor import Tensor, apply

__all__ = ["PASSES", "Pass", "Spans", "Weights", "check_pair", "last_rows", "spans_of"]

Spans: TypeAlias = tuple[tuple[int, int], ...]
"""Where the rows of each step begin and end, in the order in which the steps are taken."""

Weights: TypeAlias = Mapping[str, Tensor]
"""Those that there are, by their names without layer and direction, such as weight_ih."""

Pass: TypeAlias = Callable[[Tensor, Sequence[Tensor], Weights, Spans], list[Tensor]]
"""From the rows of the input, the first states, weights and spans to the states behind each row."""


def spans_of(batch_sizes: Sequence[int], reverse: bool) -> Spans:
    """Return the spans of steps that have so many rows each.

    Example:
        >>> spans_of([2, 2, 1], reverse=True)
        ((4, 5), (2, 4), (0, 2))
    """
    ends = list(accumulate(batch_sizes))
    spans = tuple(zip([0, *ends], ends, strict=False))
    return spans[::-1] if reverse else spans


def last_rows(spans: Spans) -> Any:
    """Return an index of the row of the last step that each sequence takes."""
    sizes = [end - start for start, end in spans]
    if min(sizes) == max(sizes):
        return slice(*spans[-1])
    last = np.empty(max(sizes), np.int64)
    for start, end in spans:
        last[: end - start] = range(start, end)
    return last


def check_pair(name: str, states: Any) -> None:
    """Refuse the states of an LSTM that are neither None nor (h, c)."""
    if states is not None and (isinstance(states, Tensor) or len(states) != 2):
        is_one = isinstance(states, Tensor)
        given = f"a Tensor of shape {states.shape}" if is_one else f"{len(states)} items"
        raise RuntimeError(f"{name}: hx must be a pair of states (h, c), got {given}")


def _rnn(nonlinearity: str) -> Pass:
    def run(x: Tensor, firsts: Sequence[Tensor], weights: Weights, spans: Spans) -> list[Tensor]:
        gates = functional.linear(x, weights["weight_ih"], _bias(weights))
        given = apply(ops.flattened, gates, *firsts, weights["weight_hh"])
        hidden = firsts[0].shape[1]
        made = apply(ops.rnn, given, hidden=hidden, spans=spans, nonlinearity=nonlinearity)
        return _states(made, len(x), [hidden])

    return run


def _lstm(x: Tensor, firsts: Sequence[Tensor], weights: Weights, spans: Spans) -> list[Tensor]:
    gates = functional.linear(x, weights["weight_ih"], _bias(weights))
    projection = [weights["weight_hr"]] if "weight_hr" in weights else []
    given = apply(ops.flattened, gates, *firsts, weights["weight_hh"], *projection)
    width, hidden = (first.shape[1] for first in firsts)
    made = apply(ops.lstm, given, hidden=hidden, width=width, spans=spans)
    return _states(made, len(x), [width, hidden])


def _gru(x: Tensor, firsts: Sequence[Tensor], weights: Weights, spans: Spans) -> list[Tensor]:
    bias, hidden = None, firsts[0].shape[1]
    last = Tensor(constant(array_namespace(x.data).zeros(hidden, x.dtype)))
    if "bias_hh" in weights:
        of_h = weights["bias_hh"]
        bias = weights["bias_ih"] + cat([of_h[: 2 * hidden], last])
        last = of_h[2 * hidden :]  # it stands inside the product with a gate
    gates = functional.linear(x, weights["weight_ih"], bias)
    given = apply(ops.flattened, gates, *firsts, weights["weight_hh"], last)
    return _states(apply(ops.gru, given, hidden=hidden, spans=spans), len(x), [hidden])


PASSES: Mapping[str, Pass] = {
    "RNN_TANH": _rnn("tanh"),
    "RNN_RELU": _rnn("relu"),
    "LSTM": _lstm,
    "GRU": _gru,
}
"""By the name that PyTorch has for the kind of layer."""


def _bias(weights: Weights) -> Tensor | None:
    return weights["bias_ih"] + weights["bias_hh"] if "bias_hh" in weights else None


def _states(made: Tensor, rows: int, widths: Sequence[int]) -> list[Tensor]:
    """Return the states that an op's result begins with."""
    ends = list(accumulate(rows * width for width in widths))
    return [
        made[start:end].reshape(rows, width)
        for start, end, width in zip([0, *ends], ends, widths, strict=False)
    ]
