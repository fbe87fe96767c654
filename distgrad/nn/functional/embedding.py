"""Embeddings: rows of a table."""

from distgrad import ops
from distgrad.tensor import Tensor, apply

__all__ = ["embedding"]


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Return the rows of ``weight`` that ``input`` names.

    Args:
        input: Integers from 0 to rows - 1, of any shape.
        weight: (rows, width)
        padding_idx: A row whose gradient is always 0; negative numbers count from the end.

    Returns:
        A Tensor of shape ``(*input.shape, width)``.

    Raises:
        TypeError: If ``input`` is not of integer type.
        IndexError: If a number names no row.
        ValueError: If ``weight`` is not a matrix, or ``padding_idx`` names no row of it.

    Example:
        >>> import distgrad as dg
        >>> embedding(dg.tensor([1, 0]), dg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([[3., 4.],
                [1., 2.]])
    """
    if weight.ndim != 2:
        raise ValueError(f"embedding: weight must have shape (rows, width), got {weight.shape}")
    if input.dtype.kind not in "iu":
        raise TypeError(f"embedding: the input must be of integer type, not {input.dtype}")
    rows = weight.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise ValueError(
                f"embedding: padding_idx {padding_idx} names no row of a table of {rows}; use "
                f"{-rows} to {rows - 1}"
            )
        padding_idx %= rows
    return apply(
        ops.embedding,
        weight,
        indices=input.data.copy(),  # the backward pass reads it again: nobody may change it
        padding=padding_idx,
    )
