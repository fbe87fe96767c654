"""Sequences of different lengths: padded to one length, or packed without padding."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from distgrad.backend import Array, array_namespace, to_host
from distgrad.nn.utils.padding import (
    lengths_of,
    like,
    pad_sequence,
    rows_of,
    unpad_sequence,
    with_padding,
)
from distgrad.tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """The elements of several sequences, step by step and without padding.

    First the first element of each sequence, the longest sequence first; then the second ones, of
    those that have one; and so on. `pack_sequence` and `pack_padded_sequence` make it, recurrent
    layers take it and return it, and `pad_packed_sequence` undoes it.

    Attributes:
        data: (elements of all sequences together, ...)
        batch_sizes: How many sequences have a first element, a second one, ...
        sorted_indices: Which of the sequences as they were given stands at each place; None if
            they stood in that order.
        unsorted_indices: At which place each of them stands: the inverse.

    Example:
        >>> import distgrad as dg
        >>> packed = pack_sequence([dg.tensor([1, 2, 3]), dg.tensor([8, 9])])
        >>> packed.data, packed.batch_sizes
        (tensor([1, 8, 2, 9, 3]), tensor([2, 2, 1]))
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> "PackedSequence":
        """Invert ``sorted_indices`` where ``unsorted_indices`` are not given."""
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> "PackedSequence":
        """Return the same with its data converted, as `distgrad.Tensor.to` does."""
        return self._replace(data=self.data.to(*args, **kwargs))


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return the permutation that undoes a permutation of 0, 1, 2, ...; None for None.

    Example:
        >>> import distgrad as dg
        >>> invert_permutation(dg.tensor([2, 0, 1]))
        tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    xp = array_namespace(permutation.data)
    inverse = xp.empty_like(permutation.data)
    inverse[permutation.data] = xp.arange(len(inverse), dtype=inverse.dtype)
    return Tensor(inverse)


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Sequence[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Pack sequences that are padded to one length.

    Args:
        input: (T, N, ...), or (N, T, ...) if ``batch_first``.
        lengths: The length of each of the N sequences, from 1 to T; what lies behind is padding.
        batch_first: Which of the first two axes numbers the sequences. Default: False.
        enforce_sorted: Demand that the sequences come from the longest to the shortest. False
            takes them in any order, and recurrent layers return theirs in the same. Default: True.

    Raises:
        ValueError: If ``input`` has fewer than two axes.
        RuntimeError: If there are no sequences, or not one length for each; if a length is not
            from 1 to T; if they are not sorted although they should be.

    Example:
        >>> import distgrad as dg
        >>> padded = dg.tensor([[4, 5, 0], [1, 2, 3]])
        >>> pack_padded_sequence(padded, [2, 3], batch_first=True, enforce_sorted=False).data
        tensor([1, 4, 2, 5, 3])
    """
    if input.ndim < 2:
        raise ValueError(
            "pack_padded_sequence: the input must have shape (T, N, ...), or (N, T, ...) with "
            f"batch_first=True, got {input.shape}"
        )
    count, longest = input.shape[:2] if batch_first else input.shape[1::-1]
    sizes = lengths_of(lengths)
    _check_lengths(sizes, count, longest)
    order = None
    if not enforce_sorted:
        order = np.argsort(-sizes, kind="stable")
        sizes = sizes[order]
    elif (sizes[1:] > sizes[:-1]).any():
        raise RuntimeError(
            "pack_padded_sequence: with enforce_sorted=True the lengths must not increase, got "
            f"{sizes.tolist()}; sort the sequences, or pass enforce_sorted=False"
        )
    step, sequence = _steps_and_sequences(sizes)
    if order is not None:
        sequence = order[sequence]
    row = sequence * longest + step if batch_first else step * count + sequence
    return PackedSequence(
        rows_of(input.reshape(count * longest, *input.shape[2:]), row),
        Tensor(np.bincount(step)),
        None if order is None else like(input, order),
    )


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Pad packed sequences to one length.

    Args:
        sequence: The packed sequences.
        batch_first: Return (N, T, ...) and not (T, N, ...). Default: False.
        padding_value: What stands behind the shorter sequences. Default: 0.
        total_length: T. Default: the length of the longest sequence.

    Returns:
        The padded sequences, in the order in which they were before they were packed, and their
        lengths.

    Raises:
        ValueError: If ``total_length`` is less than the longest length.

    Example:
        >>> import distgrad as dg
        >>> packed = pack_sequence([dg.tensor([1, 2, 3]), dg.tensor([8, 9])])
        >>> pad_packed_sequence(packed, batch_first=True)
        (tensor([[1, 2, 3],
                [8, 9, 0]]), tensor([3, 2]))
    """
    sizes = to_host(sequence.batch_sizes.data)
    longest = len(sizes)
    if total_length is not None and total_length < longest:
        raise ValueError(
            f"pad_packed_sequence: total_length {total_length} is less than the length {longest} "
            f"of the longest sequence; use {longest} or more, or None"
        )
    lengths = (sizes[:, None] > np.arange(sizes[0])).sum(axis=0)
    places = _places(lengths, np.cumsum(sizes) - sizes, total_length or longest)
    if sequence.unsorted_indices is not None:
        order = np.asarray(sequence.unsorted_indices.tolist())
        places, lengths = places[:, order], lengths[order]
    places = places.T if batch_first else places
    return with_padding(sequence.data, places, padding_value), Tensor(lengths)


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences of different lengths.

    Args:
        sequences: At least one, of shapes (length, ...) that differ in the length only.
        enforce_sorted: As in `pack_padded_sequence`.

    Raises:
        RuntimeError: As `pack_padded_sequence`.
        ValueError: If the shapes differ in more than the length.

    Example:
        >>> import distgrad as dg
        >>> pack_sequence([dg.tensor([1, 2, 3]), dg.tensor([4, 5]), dg.tensor([6])]).data
        tensor([1, 4, 6, 2, 5, 3])
    """
    padded = pad_sequence(sequences)
    return pack_padded_sequence(padded, [len(x) for x in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return the sequences that were packed: the inverse of `pack_sequence`.

    Example:
        >>> import distgrad as dg
        >>> unpack_sequence(pack_sequence([dg.tensor([1, 2, 3]), dg.tensor([4, 5])]))
        [tensor([1, 2, 3]), tensor([4, 5])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def _check_lengths(sizes: Array, count: int, longest: int) -> None:
    if len(sizes) != count or not count:
        raise RuntimeError(
            f"pack_padded_sequence: there must be at least one sequence and a length for each, got "
            f"{len(sizes)} lengths for {count} sequences"
        )
    if sizes.min() < 1 or sizes.max() > longest:
        raise RuntimeError(
            f"pack_padded_sequence: lengths must be from 1 to {longest}, that of the padded "
            f"sequences, got {sizes.tolist()}"
        )


def _steps_and_sequences(lengths: Array) -> tuple[Array, Array]:
    """Return for each packed element its step and its sequence; the lengths fall."""
    steps, sequences = np.nonzero(np.arange(lengths[0])[:, None] < lengths)
    return steps, sequences


def _places(lengths: Array, starts: Array, longest: int) -> Array:
    """Return for (step, sequence) the packed element; one behind the last stands for padding."""
    step, sequence = _steps_and_sequences(lengths)
    places = np.full((longest, len(lengths)), lengths.sum())
    places[step, sequence] = starts[step] + sequence
    return places
