"""Scaled dot-product attention as one op, where a kernel makes it without the scores in memory.

Queries, keys and values come in one array: so one rule makes all three gradients, of scores and
weights that it computes anew. Where no kernel stands in, the steps of `distgrad.ops.attention`,
which keep the weights, are faster.
"""

from distgrad.backend.kernels import kernel
from distgrad.ops.attention import attention_mix, attention_scores, attention_weights
from distgrad.ops.join import stack
from distgrad.ops.linalg import matmul
from distgrad.ops.op import op

__all__ = ["attention", "attention_x"]


@op(kernel=True)
def attention(xp, stacked, /, scale, causal=None):
    """Attention of (queries, keys, values), each (..., L, E).

    ``causal`` is None, or what the scores get added for a query to look at no later key: (L, L),
    -inf above the diagonal and 0 elsewhere.
    """
    weights = _weights(xp, stacked, scale, causal)
    return attention_mix(xp, weights, stacked[2])


@attention.rule("stacked")
def _(xp, g, stacked, y, scale, causal):
    return attention_x(xp, g, stacked, y, scale=scale, causal=causal)


@kernel
def attention_x(xp, above, stacked, y, /, scale, causal):
    """The gradient of `attention`, whose output is y, from the gradient ``above``."""
    query, key, value = stacked[0], stacked[1], stacked[2]
    weights = _weights(xp, stacked, scale, causal)
    of_output = xp.sum(above * y, axis=-1, keepdims=True)
    slopes = weights * (matmul(xp, value, _swap(xp, above)) - _swap(xp, of_output))
    of_query = matmul(xp, _swap(xp, slopes), key) * scale
    of_key = matmul(xp, slopes, query * scale)
    return stack(xp, of_query, of_key, matmul(xp, weights, above), axis=0)


def _weights(xp, stacked, scale, causal):
    scores = attention_scores(xp, stacked[0], stacked[1], causal, scale=scale)
    return attention_weights(xp, scores)


def _swap(xp, x):
    return xp.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))
