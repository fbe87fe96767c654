"""What the ops of recurrent layers share: where their arrays lie, and the walk over the steps.

A layer over whole sequences is one op: `rnn`, `lstm` or `gru`. The rows of all time steps lie one
below the other: those of the first step, a row for each sequence, then those of the second for the
sequences that are as long, and so on, the longest sequence first. ``spans`` has where the rows of
each step begin and end, in the order in which the layer takes the steps.

All that a layer reads is `flattened` into one array, and all that it makes comes out as one. So the
op has one input, and its rule walks back through the steps once for the gradients of everything;
rules for several inputs would each make that walk. The output holds what the rule needs of the
input as well, and nothing else is kept for it.
"""

import math
from types import ModuleType, SimpleNamespace
from typing import Any

from distgrad.ops.join import concatenate
from distgrad.ops.op import op
from distgrad.ops.rounding import zeros_like

__all__ = ["Layout", "before", "carried", "flattened", "is_recorded", "walk_back"]


@op
def flattened(xp, *arrays):
    """The elements of all arrays, one array behind the other."""
    return xp.concatenate([x.reshape(-1) for x in arrays])


@flattened.rule("arrays")
def _(xp, g, position, shapes):
    start = sum(map(math.prod, shapes[:position]))
    return xp.reshape(g[start : start + math.prod(shapes[position])], shapes[position])


class Layout:
    """Where named arrays lie in a flat one, in the order of the names."""

    def __init__(self, **shapes):
        self.shapes = shapes
        self.size = sum(map(math.prod, shapes.values()))

    def parts(self, xp, flat):
        """The arrays by their names: views where ``flat`` is an array."""
        found, start = SimpleNamespace(), 0
        for name, shape in self.shapes.items():
            end = start + math.prod(shape)
            setattr(found, name, xp.reshape(flat[start:end], shape))
            start = end
        return found


def before(xp, first, states, spans):
    """For each row of ``states`` the state from which its step began: at first one of ``first``."""
    earlier = 0, 0
    ranges: list[Any] = []
    parts: list[Any] = []
    for start, end in spans:
        known = min(end - start, earlier[1] - earlier[0])
        ranges.append((start, states, earlier[0], earlier[0] + known))
        ranges.append((start + known, first, known, end - start))
        earlier = start, end
    for _, source, low, high in sorted(ranges, key=_place):
        if parts and parts[-1][0] is source and parts[-1][2] == low:
            parts[-1][2] = high
        elif low < high or not parts:
            parts.append([source, low, high])
    return concatenate(xp, *(source[low:high] for source, low, high in parts))


def carried(xp, states, behind):
    """The states of all sequences behind a step that the first ones of them have taken."""
    count = len(behind)
    return behind if count == len(states) else xp.concatenate([behind, states[count:]])


def walk_back(xp, spans, firsts, back):
    """Go through the steps from the last one taken to the first, on Tensors or arrays.

    Args:
        xp: The namespace.
        spans: See above.
        firsts: The states that the layer began with.
        back: From (rows, *gradients of the states behind a step) to what is kept of these rows,
            and the gradients of the states before the step.

    Returns:
        What was kept, in the order of the rows; the gradients of ``firsts``.
    """
    gradients = [zeros_like(xp, first) for first in firsts]
    kept = []
    for start, end in reversed(spans):
        count = end - start
        made, states = back(slice(start, end), *(gradient[:count] for gradient in gradients))
        kept.append((start, made))
        gradients = [
            state if count == len(gradient) else concatenate(xp, state, gradient[count:])
            for state, gradient in zip(states, gradients, strict=True)
        ]
    in_order = zip(*(made for _, made in sorted(kept, key=_place)), strict=True)
    return [concatenate(xp, *parts) for parts in in_order], gradients


def is_recorded(xp):
    """Whether a rule runs on Tensors, and not on arrays."""
    return not isinstance(xp, ModuleType)


def _place(item):
    return item[0]
