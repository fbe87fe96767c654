"""Scaled dot-product attention, in three steps between which dropout has its place.

The scores lie with the keys along axis -2 and the queries along axis -1: so the sums and maxima of
the softmax run over whole rows of memory, which takes half the time, and the products with the
values need no transposed copy. The gradient of each step is made once and handed on; one op for all
three would make that of the scores once for the queries and once more for the keys.

A. Vaswani et al., "Attention is all you need", NIPS 2017.
"""

import numpy as np

from distgrad.backend.lacking import largest
from distgrad.ops.activation import softmax_x
from distgrad.ops.linalg import matmul
from distgrad.ops.op import op


def _swap(xp, x):
    return xp.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


@op
def attention_scores(xp, query, key, bias, /, scale):
    """``scale * key @ query' + bias'``: (..., L, E), (..., S, E) and (..., L, S) to (..., S, L).

    The bias may be None.
    """
    y = matmul(xp, key, _swap(xp, query * scale))
    if bias is not None:
        y += _swap(xp, bias)
    return y


@attention_scores.rule("query")
def _(xp, g, key, scale):
    return matmul(xp, _swap(xp, g), key) * scale


@attention_scores.rule("key")
def _(xp, g, query, scale):
    return matmul(xp, g, query * scale)


@attention_scores.rule("bias")
def _(xp, g):
    return _swap(xp, g)


@op(kernel=True)
def attention_weights(xp, scores):
    """The softmax over axis -2; zeros where all scores are -inf, as in PyTorch."""
    lowest = np.finfo(scores.dtype).min  # -inf - lowest is -inf, and no nan
    y = scores - largest(xp, scores, -2, lowest)
    xp.exp(y, out=y)
    total = xp.sum(y, axis=-2, keepdims=True)
    total += total == 0
    y /= total
    return y


@attention_weights.rule("scores")
def _(xp, g, y):
    return softmax_x(xp, g, y, axis=-2)


@op
def attention_mix(xp, weights, value):
    """``weights' @ value``: (..., S, L) and (..., S, E) to (..., L, E)."""
    return matmul(xp, _swap(xp, weights), value)


@attention_mix.rule("weights")
def _(xp, g, value):
    return matmul(xp, value, _swap(xp, g))


@attention_mix.rule("value")
def _(xp, g, weights):
    return matmul(xp, weights, g)
