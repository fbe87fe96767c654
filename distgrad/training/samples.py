"""Inputs, targets and vocabulary: where a batch, a dataset or a split has them."""

from collections.abc import Sized
from typing import Any

from distgrad.backend import Array
from distgrad.data import TensorDataset, Vocabulary, data_sha256
from distgrad.data.collate import default_collate
from distgrad.data.dataset import fetch
from distgrad.data.streaming import is_stream

__all__ = ["first_batch", "identity", "inputs_and_targets", "kept_arrays", "vocabulary_of"]


def inputs_and_targets(batch: Any) -> tuple[Any, Any]:
    """Return the fields x and y of a batch, or the two parts of a plain pair.

    Raises:
        ValueError: If the batch is neither.

    Example:
        >>> inputs_and_targets(([1.0, 2.0], [0, 1]))
        ([1.0, 2.0], [0, 1])
    """
    if hasattr(batch, "x") and hasattr(batch, "y"):
        return batch.x, batch.y
    if isinstance(batch, tuple | list) and len(batch) == 2:
        return batch[0], batch[1]
    raise ValueError(f"must have samples with the fields x and y, or pairs of both, got {batch!r}")


def first_batch(dataset: Any) -> Any:
    """Return the first sample as a batch.

    Raises:
        ValueError: If there is none.
    """
    if not is_stream(dataset):
        return fetch(dataset, [0])
    for sample in dataset:
        return default_collate([sample])
    raise ValueError("is empty; a run needs at least 1 sample to train on")


def kept_arrays(dataset: Any) -> tuple[Array, Array] | None:
    """Return all inputs and all targets as a dataset keeps them; None if it does not.

    What a batch has may be of another data type; see `distgrad.data.CompactDataset`.
    """
    if not isinstance(dataset, TensorDataset):
        return None
    arrays = dataset.arrays
    if {"x", "y"} <= arrays.keys():
        return arrays["x"], arrays["y"]
    x, y = arrays.values()
    return x, y


def vocabulary_of(split: Any) -> Vocabulary | None:
    """Return what the numbers in the samples of a text stand for; None if they are no text."""
    vocabulary = getattr(split, "vocabulary", None)
    return vocabulary if isinstance(vocabulary, Vocabulary) else None


def identity(dataset: Any) -> dict[str, Any]:
    """Return what tells a dataset from others: its ``sha256`` and ``samples``, where it has them.

    Example:
        >>> from distgrad.data import sine
        >>> identity(sine(samples=70).train)["samples"], identity(iter("abc"))
        (70, {'sha256': None, 'samples': None})
    """
    return {
        "sha256": data_sha256(dataset) if isinstance(dataset, TensorDataset) else None,
        "samples": len(dataset) if isinstance(dataset, Sized) else None,
    }
