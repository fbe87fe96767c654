"""Attention by several heads, each of which sees the inputs through linear maps of its own."""

import math

from distgrad.functional import cat, matmul, softmax
from distgrad.nn.functional.attention import scaled_dot_product_attention
from distgrad.nn.functional.attention_mask import joint_terms
from distgrad.nn.functional.dropout import dropout
from distgrad.nn.functional.heads import map_packed, map_separately, merge_heads
from distgrad.nn.functional.linear import linear
from distgrad.nn.functional.pad import pad
from distgrad.tensor import Tensor

__all__ = ["multi_head_attention_forward"]

_NAME = "multi_head_attention_forward"


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Return what each query gathers: `distgrad.nn.MultiheadAttention` as a function.

    Args:
        query: (L, N, E), or (L, E) without a batch.
        key: (S, N, E_k), or (S, E_k).
        value: (S, N, E_v), or (S, E_v).
        embed_dim_to_check: E.
        num_heads: Divides E into D features a head.
        in_proj_weight: (3 * E, E), of queries, keys and values in that order; None with separate
            weights.
        in_proj_bias: (3 * E,) or None.
        bias_k: One more key for all samples, of E elements, or None; with ``bias_v`` only.
        bias_v: Its value.
        add_zero_attn: Add a key of zeros, whose value is 0.
        dropout_p: Probability with which, in training, an attention weight is set to 0.
        out_proj_weight: (E, E)
        out_proj_bias: (E,) or None.
        training: Whether weights are dropped. Default: True.
        key_padding_mask: (N, S), or (S,) without a batch: true for a key that is not to be looked
            at; or terms that are added to its scores.
        need_weights: Return the attention weights too. Default: True.
        attn_mask: (L, S) or (N * num_heads, L, S): true where a query must not look at a key; or
            terms that are added to the scores, which may ask for a gradient.
        use_separate_proj_weight: Take the next three instead of ``in_proj_weight``.
        q_proj_weight: (E, E)
        k_proj_weight: (E, E_k)
        v_proj_weight: (E, E_v)
        static_k: (N * num_heads, S, D) in place of the mapped keys, or None.
        static_v: (N * num_heads, S, D) in place of the mapped values, or None.
        average_attn_weights: Return the mean of the weights over the heads. Default: True.
        is_causal: Says that ``attn_mask`` lets query i look at keys 0 to i only; then it need not
            be read.

    Returns:
        A Tensor of shape (L, N, E) or (L, E), and the weights of shape (N, L, S) or (L, S), or with
        ``average_attn_weights=False`` (N, num_heads, L, S) or (num_heads, L, S); None in their
        place without ``need_weights``. S counts the added keys too. A query that may look at no key
        gets nan where the weights are returned, and otherwise gathers 0, as in PyTorch.

    Raises:
        ValueError: If shapes do not fit.
        TypeError: If a mask is neither of truth values nor of floating-point type.
        RuntimeError: If data types differ, or ``is_causal`` comes without a mask.
    """
    _check_inputs(query, key, value, embed_dim_to_check, num_heads)
    inputs = _samples_first(query, key, value)
    if use_separate_proj_weight:
        weights = q_proj_weight, k_proj_weight, v_proj_weight
        q, k, v = map_separately(inputs, weights, in_proj_bias, num_heads)
    else:
        q, k, v = map_packed(inputs, in_proj_weight, in_proj_bias, num_heads)
    if (bias_k is None) != (bias_v is None):
        raise ValueError(f"{_NAME}: bias_k and bias_v must both be given, or neither")
    k = _lengthened("static_k", k, static_k, bias_k, add_zero_attn)
    v = _lengthened("static_v", v, static_v, bias_v, add_zero_attn)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            f"{_NAME}: is_causal says what attn_mask is, and needs one; make it by "
            "nn.Transformer.generate_square_subsequent_mask(L)"
        )
    known = is_causal and key_padding_mask is None and not need_weights
    added = (bias_k is not None) + bool(add_zero_attn)
    masks = (None if known else attn_mask), _by_sample(key_padding_mask, query)
    terms = joint_terms(*masks, (*q.shape[:3], k.shape[2] - added), q.dtype, added)
    gathered, looks = _attend(q, k, v, terms, dropout_p * training, need_weights, known)
    output = linear(merge_heads(gathered), out_proj_weight, out_proj_bias)
    if looks is not None and average_attn_weights:
        looks = looks.mean(1)
    if query.ndim == 3:
        return output.transpose(0, 1), looks
    return output.squeeze(0), None if looks is None else looks.squeeze(0)


def _check_inputs(
    query: Tensor, key: Tensor, value: Tensor, embed_dim: int, num_heads: int
) -> None:
    if not (
        2 <= query.ndim <= 3
        and query.ndim == key.ndim == value.ndim
        and query.shape[1:-1] == key.shape[1:-1]
        and key.shape[:-1] == value.shape[:-1]
    ):
        raise ValueError(
            f"{_NAME}: query, key and value must have shapes (L, N, E), (S, N, E_k) and "
            f"(S, N, E_v), or without a batch (L, E), (S, E_k) and (S, E_v); got, with N as second "
            f"axis, {query.shape}, {key.shape} and {value.shape}"
        )
    if query.shape[-1] != embed_dim:
        raise ValueError(
            f"{_NAME}: the query must have embed_dim = {embed_dim} features, got {query.shape}"
        )
    if num_heads < 1 or embed_dim % num_heads:
        raise ValueError(
            f"{_NAME}: num_heads {num_heads} does not divide embed_dim {embed_dim}; each head "
            "takes embed_dim / num_heads features"
        )


def _samples_first(*inputs: Tensor) -> list[Tensor]:
    """Return (N, T, features) for each input; what is one object stays one."""
    turned = {id(x): x.transpose(0, 1) if x.ndim == 3 else x.unsqueeze(0) for x in inputs}
    return [turned[id(x)] for x in inputs]


def _by_sample(mask: Tensor | None, query: Tensor) -> Tensor | None:
    """Return a mask of keys with a row for each sample."""
    if mask is None or query.ndim == 3:
        return mask
    if mask.ndim != 1:
        raise ValueError(
            f"{_NAME}: for a query without a batch, of shape {query.shape}, key_padding_mask must "
            f"have shape (S,), got {mask.shape}"
        )
    return mask.unsqueeze(0)


def _lengthened(
    name: str, heads: Tensor, static: Tensor | None, bias: Tensor | None, add_zero_attn: bool
) -> Tensor:
    """Return keys or values of shape (N, heads, S, D), with those that are added behind them."""
    samples, num_heads, _, features = heads.shape
    if static is not None:
        batch = samples * num_heads
        if bias is not None or (*static.shape[:1], *static.shape[2:]) != (batch, features):
            raise ValueError(
                f"{_NAME}: {name} must have shape (N * num_heads, S, D) = ({batch}, S, {features}),"
                f" and no bias_k and bias_v beside it, got {static.shape}"
            )
        heads = static.reshape(samples, num_heads, static.shape[1], features)
    if bias is not None:
        one = bias.reshape(1, num_heads, 1, features)
        heads = cat([heads, one.expand(samples, num_heads, 1, features)], 2)
    return pad(heads, (0, 0, 0, 1)) if add_zero_attn else heads


def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    terms: Tensor | None,
    dropout_p: float,
    need_weights: bool,
    is_causal: bool,
) -> tuple[Tensor, Tensor | None]:
    if not need_weights:
        args = (terms, dropout_p, is_causal)
        return scaled_dot_product_attention(query, key, value, *args), None
    scores = matmul(query * math.sqrt(1 / query.shape[-1]), key.transpose(2, 3))
    if terms is not None:
        if terms.dtype != scores.dtype:
            raise RuntimeError(
                f"{_NAME}: masks that are added to the scores must have their data type "
                f"{scores.dtype}, got {terms.dtype}; convert with .to()"
            )
        scores = scores + terms
    weights = dropout(softmax(scores, -1), dropout_p)
    return matmul(weights, value), weights
