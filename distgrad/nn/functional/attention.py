"""Attention."""

import math

import numpy as np

from distgrad import ops
from distgrad.backend import array_namespace
from distgrad.backend.kernels import Kernel
from distgrad.backend.listening import beside, constant
from distgrad.nn.functional.checks import check_floating, in_single
from distgrad.nn.functional.dropout import dropout
from distgrad.tensor import Tensor, apply

__all__ = ["scaled_dot_product_attention"]

_NAME = "scaled_dot_product_attention"


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return ``softmax(scale * query @ key.T + mask) @ value``.

    Args:
        query: (..., L, E); leading axes of the three broadcast.
        key: (..., S, E)
        value: (..., S, V)
        attn_mask: Broadcasts to (..., L, S): truth values, false where a query must not look at a
            key; or terms added to the scores, of the query's data type or float32, which may ask
            for a gradient.
        dropout_p: Probability with which a weight is set to 0, here also outside training; drawn
            from the random scope, as `dropout` is. Default: 0.
        is_causal: Let query i look at keys 0 to i only; without ``attn_mask``. Default: False.
        scale: Default: 1 / sqrt(E).
        enable_gqa: Let several heads of the query, which are axis -3, share a head of key and
            value: with H and H / n heads, heads 0 to n - 1 use the first one. Default: False.

    Returns:
        A Tensor of shape (..., L, V); 0 for a query that may look at no key.

    Raises:
        ValueError: If the shapes do not fit, or ``dropout_p`` is not a probability.
        TypeError: If the query is not of floating-point type.
        RuntimeError: If the data types differ, or there is a mask although ``is_causal`` is true.

    Example:
        >>> import distgrad as dg
        >>> x = dg.tensor([[1.0], [3.0]])
        >>> scaled_dot_product_attention(x, dg.zeros(2, 1), x, is_causal=True)
        tensor([[1.],
                [2.]])

    Reference:
        A. Vaswani et al., "Attention is all you need", NIPS 2017; J. Ainslie et al., "GQA:
        training generalized multi-query transformer models from multi-head checkpoints", EMNLP
        2023.
    """
    _check_inputs(query, key, value)
    if enable_gqa:
        key, value = _shared_heads(query, key), _shared_heads(query, value)
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    bias = _bias(query, key, attn_mask, is_causal)
    if attn_mask is None and not dropout_p and _is_fused(query, key, value):
        stacked = apply(ops.stack, query, key, value)
        causal = None if bias is None else bias.data
        return apply(ops.attention, stacked, scale=scale, causal=causal)
    scores = apply(ops.attention_scores, query, key, bias, scale=scale)
    weights = apply(ops.attention_weights, in_single(scores)).to(scores.dtype)
    return apply(ops.attention_mix, dropout(weights, dropout_p), value)


def _is_fused(query: Tensor, key: Tensor, value: Tensor) -> bool:
    """Tell whether a kernel makes one op of the steps."""
    attention: Kernel = ops.attention.forward
    alike = query.shape == key.shape == value.shape
    return alike and attention.stands_in(array_namespace(query.data))


def _check_inputs(query: Tensor, key: Tensor, value: Tensor) -> None:
    check_floating(_NAME, query)
    shapes = query.shape, key.shape, value.shape
    if (
        min(map(len, shapes)) < 2
        or key.shape[-1] != query.shape[-1]
        or value.shape[-2] != key.shape[-2]
    ):
        raise ValueError(
            f"{_NAME}: query, key and value must have shapes (..., L, E), (..., S, E) and "
            f"(..., S, V), got {shapes[0]}, {shapes[1]} and {shapes[2]}"
        )
    if not query.dtype == key.dtype == value.dtype:
        raise RuntimeError(
            f"{_NAME}: query, key and value must have one data type, got {query.dtype}, "
            f"{key.dtype} and {value.dtype}; convert with .to()"
        )


def _shared_heads(query: Tensor, of_groups: Tensor) -> Tensor:
    """Return a key or value with a head for each head of the query."""
    heads, groups = (x.shape[-3] if x.ndim > 2 else 0 for x in (query, of_groups))
    if not groups or heads % groups:
        raise ValueError(
            f"{_NAME}: with enable_gqa the heads of key and value, axis -3, must divide those of "
            f"the query, got shapes {of_groups.shape} and {query.shape}"
        )
    return of_groups.repeat_interleave(heads // groups, -3)


def _bias(query: Tensor, key: Tensor, mask: Tensor | None, is_causal: bool) -> Tensor | None:
    """Return what is added to the scores: -inf where a query must not look."""
    xp, dtype = array_namespace(query.data), query.dtype
    if mask is None and not is_causal:
        return None
    if mask is None:
        seen = constant(xp.tri(query.shape[-2], key.shape[-2], dtype=bool))
    elif is_causal:
        raise RuntimeError(
            f"{_NAME}: is_causal=True is a mask itself and takes no attn_mask beside it; join both "
            "into one attn_mask"
        )
    else:
        _check_mask(query, key, mask)
        mask = mask if mask.ndim > 1 else mask.reshape(1, -1)
        if mask.dtype != np.bool_:
            return mask.to(dtype)
        seen = mask.data
    real = np.dtype(np.float32) if dtype.itemsize == 2 else dtype
    return Tensor(beside(xp.where, seen, real.type(0), -real.type(np.inf))).to(dtype)


def _check_mask(query: Tensor, key: Tensor, mask: Tensor) -> None:
    if mask.dtype not in (np.bool_, np.float32, query.dtype):
        raise RuntimeError(
            f"{_NAME}: attn_mask must hold truth values, or terms of the query's data type "
            f"{query.dtype} or float32, got {mask.dtype}; convert with .to()"
        )
    leading = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
    scores = (*leading, query.shape[-2], key.shape[-2])
    try:
        fits = np.broadcast_shapes(mask.shape, scores) == scores
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{_NAME}: attn_mask must broadcast to the scores of shape {scores}, got {mask.shape}"
        )
