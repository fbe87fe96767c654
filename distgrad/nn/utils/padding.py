"""Sequences of different lengths as one tensor, filled up with padding."""

from collections.abc import Iterable, Sequence

import numpy as np

from distgrad import ops
from distgrad.backend import Array, array_namespace
from distgrad.tensor import Tensor, apply

__all__ = ["lengths_of", "like", "pad_sequence", "rows_of", "unpad_sequence", "with_padding"]


def pad_sequence(
    sequences: Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Pad sequences to the length of the longest.

    Args:
        sequences: At least one, of shapes (length, ...) that differ in the length only.
        batch_first: Return (N, T, ...) and not (T, N, ...). Default: False.
        padding_value: What the shorter ones are filled up with. Default: 0.
        padding_side: "right" to fill up behind them, the default, or "left" before them.

    Raises:
        RuntimeError: If ``sequences`` cannot be iterated over, or if there are none.
        ValueError: If the shapes differ in more than the length, or for another side.

    Example:
        >>> import distgrad as dg
        >>> pad_sequence([dg.tensor([1, 2, 3]), dg.tensor([8, 9])], batch_first=True)
        tensor([[1, 2, 3],
                [8, 9, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: sequences must be iterable, got {type(sequences).__name__}"
        )
    listed = list(sequences)
    _check_sequences(listed, padding_side)
    lengths = np.array([len(x) for x in listed])
    longest = int(lengths.max())
    starts = np.cumsum(lengths) - lengths
    place = np.arange(longest)[:, None]
    if padding_side == "left":
        place = place - (longest - lengths)
    places = np.where((place >= 0) & (place < lengths), starts + place, lengths.sum())
    together = apply(ops.concatenate, *listed, axis=0)
    return with_padding(together, places.T if batch_first else places, padding_value)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False
) -> list[Tensor]:
    """Return the sequences without what they were padded with: the inverse of `pad_sequence`.

    Args:
        padded_sequences: (T, N, ...), or (N, T, ...) if ``batch_first``.
        lengths: The length of each sequence.
        batch_first: Which of the first two axes numbers the sequences. Default: False.

    Raises:
        ValueError: If there is not one length for each sequence.

    Example:
        >>> import distgrad as dg
        >>> unpad_sequence(dg.tensor([[1, 2, 3], [8, 9, 0]]), [3, 2], batch_first=True)
        [tensor([1, 2, 3]), tensor([8, 9])]
    """
    sizes = lengths_of(lengths).tolist()
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    if len(sizes) != len(rows):
        raise ValueError(
            f"unpad_sequence: got {len(sizes)} lengths for {len(rows)} sequences; give each its own"
        )
    return [row[:size] for row, size in zip(rows, sizes, strict=True)]


def lengths_of(lengths: Tensor | Sequence[int]) -> Array:
    """Return lengths in the host's memory: they decide about shapes."""
    given = lengths.tolist() if isinstance(lengths, Tensor) else list(lengths)
    return np.array(given, np.int64).reshape(-1)


def _check_sequences(sequences: list[Tensor], padding_side: str) -> None:
    if padding_side not in ("left", "right"):
        raise ValueError(
            f"pad_sequence: padding_side must be 'left' or 'right', got {padding_side!r}"
        )
    if not sequences:
        raise RuntimeError("pad_sequence: received an empty list of sequences; give at least one")
    shapes = [x.shape for x in sequences]
    if not all(shape and shape[1:] == shapes[0][1:] for shape in shapes):
        raise ValueError(
            "pad_sequence: the sequences must have shapes (length, ...) that differ in the length "
            f"only, got {', '.join(map(str, shapes))}"
        )


def with_padding(elements: Tensor, places: Array, padding_value: float) -> Tensor:
    """Return the elements at the places; behind the last of them stands the padding."""
    shape = (1, *elements.shape[1:])
    xp = array_namespace(elements.data)
    padding = Tensor(xp.full(shape, padding_value, elements.dtype))
    return rows_of(apply(ops.concatenate, elements, padding, axis=0), places)


def rows_of(table: Tensor, places: Array) -> Tensor:
    """Return the elements at the places."""
    return apply(ops.embedding, table, indices=like(table, places).data)


def like(tensor: Tensor, indices: Array) -> Tensor:
    """Return indices where the tensor's array is."""
    return Tensor(array_namespace(tensor.data).asarray(indices))
