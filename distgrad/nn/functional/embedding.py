"""Rows of a table by number, and numbers as rows of the identity matrix."""

import numpy as np

from distgrad import ops
from distgrad.autograd import is_grad_enabled
from distgrad.backend import Array, array_namespace, to_host
from distgrad.backend.listening import kept
from distgrad.ops.embedding import check_indices
from distgrad.tensor import Tensor, apply

__all__ = ["embedding", "limit_rows", "limited", "one_hot", "refuse_sparse", "row_number"]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of ``weight`` that ``input`` names.

    Args:
        input: Integers from 0 to rows - 1, of any shape.
        weight: (rows, width)
        padding_idx: A row whose gradient is always 0; negative numbers count from the end.
        max_norm: First scale each row that is named and longer to this norm: ``weight`` is changed
            in place, which is not differentiated. Default: None, which does not.
        norm_type: The order of that norm. Default: 2.
        scale_grad_by_freq: Divide the gradient of each row by how often it is named. Default:
            False.
        sparse: False wherever there is a gradient: there are no sparse ones.

    Returns:
        A Tensor of shape ``(*input.shape, width)``.

    Raises:
        TypeError: If ``input`` is not of integer type.
        IndexError: If a number names no row.
        ValueError: If ``weight`` is not a matrix, or ``padding_idx`` names no row of it.
        NotImplementedError: If a sparse gradient is asked for.

    Example:
        >>> import distgrad as dg
        >>> embedding(dg.tensor([1, 0]), dg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([[3., 4.],
                [1., 2.]])
    """
    refuse_sparse("embedding", sparse and weight.requires_grad and is_grad_enabled())
    if weight.ndim != 2:
        raise ValueError(f"embedding: weight must have shape (rows, width), got {weight.shape}")
    if input.dtype.kind not in "iu":
        raise TypeError(f"embedding: the input must be of integer type, not {input.dtype}")
    padding = None if padding_idx is None else row_number("embedding", padding_idx, weight)
    if max_norm is not None:
        limit_rows(weight, input.data, max_norm, norm_type)
    return apply(
        ops.embedding,
        weight,
        indices=kept(input.data),
        padding=padding,
        by_frequency=scale_grad_by_freq,
    )


def refuse_sparse(name: str, sparse: bool) -> None:
    """Refuse to make sparse gradients."""
    if sparse:
        raise NotImplementedError(
            f"{name}: sparse=True asks for a sparse gradient, which does not exist here; leave it "
            "False: a row that was not named gets a gradient of 0"
        )


def row_number(name: str, padding_idx: int, weight: Tensor) -> int:
    """Return the row's number counted from the start.

    Raises:
        ValueError: If there is no such row.
    """
    rows = weight.shape[0]
    if not -rows <= padding_idx < rows:
        raise ValueError(
            f"{name}: padding_idx {padding_idx} names no row of a table of {rows}; use "
            f"{-rows} to {rows - 1}"
        )
    return padding_idx % rows


def limit_rows(weight: Tensor, indices: Array, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are named and too long, in place."""
    check_indices(indices, len(weight))
    rows = array_namespace(indices).unique(indices)
    given = weight.data[rows]
    scaled = limited(given, max_norm, norm_type)
    if to_host((scaled != given).any()):
        weight.data[rows] = scaled
        weight.bump_version()


def limited(rows: Array, max_norm: float, norm_type: float) -> Array:
    """Return the vectors along the last axis, those that are too long scaled as PyTorch does."""
    xp = array_namespace(rows)
    if rows.dtype.itemsize == 2:
        return limited(rows.astype(np.float32), max_norm, norm_type).astype(rows.dtype)
    norms = xp.linalg.norm(rows, norm_type, axis=-1, keepdims=True)
    return xp.where(norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows)


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """Return for each integer a vector of zeros with a 1 at its place.

    Args:
        input: Integers (int64) from 0 to ``num_classes`` - 1, of any shape.
        num_classes: Length of the vectors. Default: one more than the greatest integer.

    Returns:
        A Tensor of integers, of shape ``(*input.shape, num_classes)``.

    Raises:
        TypeError: If ``input`` is not of type int64.
        ValueError: If an integer is negative or too great, or if there is none and ``num_classes``
            is not given.

    Example:
        >>> import distgrad as dg
        >>> one_hot(dg.tensor([0, 2]))
        tensor([[1, 0, 0],
                [0, 0, 1]])
    """
    if input.dtype != np.int64:
        raise TypeError(f"one_hot: the input must be of type int64, not {input.dtype}; use .long()")
    if num_classes < 1 and not input.numel():
        raise ValueError(f"one_hot: of no integers num_classes must be given, got {num_classes}")
    if num_classes != -1 and num_classes < 1:
        raise ValueError(f"one_hot: num_classes must be positive, got {num_classes}")
    xp = array_namespace(input.data)
    if input.numel():
        low, high = int(to_host(input.data.min())), int(to_host(input.data.max()))
        num_classes = high + 1 if num_classes == -1 else num_classes
        if low < 0 or high >= num_classes:
            raise ValueError(
                f"one_hot: {num_classes} classes are numbered from 0 to {num_classes - 1}, got "
                f"numbers from {low} to {high}"
            )
    return Tensor((input.data[..., None] == xp.arange(num_classes)).astype(np.int64))
