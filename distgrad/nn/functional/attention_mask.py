"""Masks of attention as PyTorch's layers take them: true hides, and numbers are added to scores."""

import numpy as np
from numpy.typing import DTypeLike

from distgrad.backend import Array, Namespace, array_namespace, to_host
from distgrad.backend.dtypes import is_floating
from distgrad.nn.functional.pad import pad
from distgrad.tensor import Tensor

__all__ = ["added_terms", "hides_the_future", "joint_terms", "square_subsequent_mask"]


def square_subsequent_mask(size: int, dtype: DTypeLike) -> Tensor:
    """Return (size, size) terms that let place i look at places 0 to i: 0, and -inf behind them."""
    return Tensor(_terms_before(np, size, dtype))


def _terms_before(xp: Namespace, size: int, dtype: DTypeLike) -> Array:
    return xp.triu(xp.full((size, size), -np.inf, dtype), 1)


def added_terms(name: str, mask: Tensor | None, dtype: DTypeLike) -> Tensor | None:
    """Return a mask as terms that are added to the scores: -inf where it is true.

    Args:
        name: What an error calls it.
        mask: Truth values, or the terms themselves, which are returned as they are.
        dtype: Data type of the terms that truth values become.

    Raises:
        TypeError: If the mask is of another type.
    """
    if mask is None or is_floating(mask.dtype):
        return mask
    if mask.dtype != np.bool_:
        raise TypeError(
            f"{name} must hold truth values, true where a place is hidden, or floating-point terms "
            f"of the scores, got {mask.dtype}; convert with .bool()"
        )
    xp = array_namespace(mask.data)
    return Tensor(xp.where(mask.data, -np.inf, 0.0).astype(dtype))


def hides_the_future(mask: Tensor | None, length: int) -> bool:
    """Say whether a mask is the one that lets place i of ``length`` look at places 0 to i."""
    if mask is None or mask.shape != (length, length):
        return False
    terms = added_terms("mask", mask, np.float32)
    assert terms is not None
    xp = array_namespace(terms.data)
    return bool(to_host((terms.data == _terms_before(xp, length, terms.dtype)).all()))


def joint_terms(
    attn_mask: Tensor | None,
    key_padding_mask: Tensor | None,
    scores: tuple[int, ...],
    dtype: DTypeLike,
    extra: int,
) -> Tensor | None:
    """Return what both masks add to scores of shape (N, heads, L, S), or what broadcasts to it.

    Args:
        attn_mask: (L, S) or (N * heads, L, S).
        key_padding_mask: (N, S).
        scores: That shape, without the keys that the layer adds.
        dtype: Data type of the terms that truth values become.
        extra: How many keys the layer adds at the end; they are visible to all.

    Raises:
        ValueError: If a mask has another shape.
        TypeError: If a mask is neither of truth values nor of floating-point type.
    """
    samples, heads, length, keys = scores
    pairs = added_terms("attn_mask", attn_mask, dtype)
    if pairs is not None:
        accepted = (length, keys), (samples * heads, length, keys)
        if pairs.shape not in accepted:
            raise ValueError(
                f"attn_mask must have shape (L, S) = {accepted[0]} or (N * num_heads, L, S) = "
                f"{accepted[1]}, got {pairs.shape}"
            )
        pairs = pairs.reshape(scores) if pairs.ndim == 3 else pairs
    padding = added_terms("key_padding_mask", key_padding_mask, dtype)
    if padding is not None:
        if padding.shape != (samples, keys):
            raise ValueError(
                f"key_padding_mask must have shape (N, S) = {(samples, keys)}, got {padding.shape}"
            )
        padding = padding.reshape(samples, 1, 1, keys)
    given = [terms for terms in (pairs, padding) if terms is not None]
    if not given:
        return None
    terms = given[0] if len(given) == 1 else given[0] + given[1]
    return pad(terms, (0, extra)) if extra else terms
