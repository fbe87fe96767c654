"""Bags of numbers: the rows of a table that each names, reduced to one."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from distgrad.backend import Array, array_namespace, to_host
from distgrad.nn.functional.embedding import embedding, row_number
from distgrad.tensor import Tensor

__all__ = ["embedding_bag", "reduced_bags"]

_MODES = ("sum", "mean", "max")


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Return for each bag of numbers the sum, the mean or the maximum of the rows they name.

    Args:
        input: Integers from 0 to rows - 1: (B, N), B bags of N; or (N,), bags one after another.
        weight: (rows, width)
        offsets: (B,), where each bag begins in an ``input`` of one axis.
        max_norm: As in `embedding`; and so ``norm_type``, ``scale_grad_by_freq`` and ``sparse``.
        norm_type: See there.
        scale_grad_by_freq: See there; not for "max".
        mode: "sum", "mean" or "max". Default: "mean".
        sparse: See there.
        per_sample_weights: Factors of the rows, in the shape of ``input``; for "sum" only.
        include_last_offset: The last of the offsets is where the last bag ends. Default: False.
        padding_idx: A number that does not count; negative ones count from the end.

    Returns:
        A Tensor of shape (B, width); 0 for an empty bag.

    Raises:
        ValueError: If the shapes, the offsets or the mode do not fit.
        TypeError: If ``input`` is not of integer type.
        IndexError: If a number names no row.
        NotImplementedError: If a sparse gradient is asked for, or factors for another mode.

    Example:
        >>> import distgrad as dg
        >>> table = dg.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> embedding_bag(dg.tensor([0, 1, 1]), table, dg.tensor([0, 2]), mode="sum").tolist()
        [[4.0, 6.0], [3.0, 4.0]]
    """
    if weight.ndim != 2:
        raise ValueError(f"embedding_bag: weight must have shape (rows, width), got {weight.shape}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("embedding_bag: scale_grad_by_freq is for the modes 'sum' and 'mean' only")

    def look_up(numbers: Tensor) -> Tensor:
        how = (max_norm, norm_type, scale_grad_by_freq, sparse)
        return embedding(numbers, weight, None, *how)

    padding = None if padding_idx is None else row_number("embedding_bag", padding_idx, weight)
    where = (offsets, include_last_offset, padding)
    return reduced_bags(look_up, input, mode, per_sample_weights, *where)


def reduced_bags(
    look_up: Callable[[Tensor], Tensor],
    input: Tensor,
    mode: str,
    per_sample_weights: Tensor | None,
    offsets: Tensor | None,
    include_last_offset: bool,
    padding: int | None,
) -> Tensor:
    """Return `embedding_bag` of the rows that ``look_up`` gives for numbers along one axis."""
    if mode not in _MODES:
        raise ValueError(f"embedding_bag: mode must be one of {_MODES}, got {mode!r}")
    bags = _bags(input, offsets, include_last_offset)
    kept = bags.numbers != (-1 if padding is None else padding)
    rows = look_up(Tensor(bags.numbers))[Tensor(kept)]
    if per_sample_weights is not None:
        rows = rows * _factors(input, mode, per_sample_weights)[Tensor(kept)].unsqueeze(1)
    of_row = bags.of_number[kept]
    if mode == "max" and len(of_row):
        return _maxima(rows, of_row, bags.total)
    sums = rows.new_zeros(bags.total, rows.shape[1]).index_add(0, Tensor(of_row), rows)
    if mode != "mean":
        return sums
    xp = array_namespace(of_row)
    sizes = xp.maximum(xp.bincount(of_row, minlength=bags.total), 1)
    means: Tensor = sums / sizes[:, None].astype(rows.dtype)
    return means


class _Bags(NamedTuple):
    numbers: Array
    """The numbers of all bags, one after another."""
    of_number: Array
    """The bag that each belongs to."""
    total: int
    """How many bags there are."""


def _bags(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> _Bags:
    if input.dtype.kind not in "iu":
        raise TypeError(f"embedding_bag: the input must be of integer type, not {input.dtype}")
    xp = array_namespace(input.data)
    if input.ndim == 2 and offsets is None:
        count, size = input.shape
        return _Bags(input.data.reshape(-1), xp.repeat(xp.arange(count), size), count)
    if input.ndim != 1 or offsets is None or offsets.ndim != 1:
        raise ValueError(
            "embedding_bag: the input must have shape (B, N) without offsets, or (N,) with offsets "
            f"of shape (B,), got {input.shape} and {None if offsets is None else offsets.shape}"
        )
    starts = to_host(offsets.data)
    inner = starts[:-1] if include_last_offset else starts
    lengths = np.diff(inner, append=len(input))
    if include_last_offset and not len(starts):
        raise ValueError("embedding_bag: with include_last_offset there is one offset at least")
    if len(inner) and (inner[0] != 0 or (lengths < 0).any() or starts[-1] > len(input)):
        raise ValueError(
            f"embedding_bag: offsets must begin with 0 and rise up to {len(input)}, the length of "
            f"the input, got {starts.tolist()!r:.60}"
        )
    of_number = xp.asarray(np.repeat(np.arange(len(inner)), lengths))
    return _Bags(input.data, of_number, len(inner))


def _factors(input: Tensor, mode: str, per_sample_weights: Tensor) -> Tensor:
    if mode != "sum":
        raise NotImplementedError(
            f"embedding_bag: per_sample_weights are for the mode 'sum' only, got {mode!r}"
        )
    if per_sample_weights.shape != input.shape:
        raise ValueError(
            f"embedding_bag: per_sample_weights must have the input's shape {input.shape}, got "
            f"{per_sample_weights.shape}"
        )
    return per_sample_weights.reshape(-1)


def _maxima(rows: Tensor, of_row: Array, count: int) -> Tensor:
    """The maxima of each bag, whose rows lie together; 0 for an empty one."""
    xp = array_namespace(of_row)
    sizes = xp.bincount(of_row, minlength=count)
    place = xp.arange(int(to_host(sizes.max())))
    there = place < sizes[:, None]
    number = xp.where(there, xp.cumsum(sizes)[:, None] - sizes[:, None] + place, 0)
    together = rows[Tensor(number)].masked_fill(Tensor(~there[:, :, None]), -np.inf)
    maxima: Tensor = together.max(1).values.masked_fill(Tensor(sizes[:, None] == 0), 0)
    return maxima
