"""Batches of a dataset, one after the other."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from distgrad.data.collate import default_convert
from distgrad.data.dataset import Dataset, fetch
from distgrad.data.sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader"]


class DataLoader:
    """Iterate over a dataset in batches, in this process.

    PyTorch's contract, with two differences. ``shuffle=True`` draws the order of each epoch from
    (``seed``, epoch), where PyTorch takes a generator, so that a second run sees the same batches;
    ``loader.sampler.set_epoch(e)`` goes to any epoch. (Make one loader for all epochs: it counts
    them, and a new one starts with epoch 0.) And a batch of tuples is a tuple.

    Args:
        dataset: What to load.
        batch_size: Samples in a batch; None gives single samples, without a batch axis.
        shuffle: See every epoch in another order.
        sampler: Indices in the order to use instead.
        batch_sampler: Lists of indices, one for each batch, instead.
        collate_fn: Makes a batch of a list of samples (with ``batch_size=None``: converts one
            sample). By default `default_collate`, or the dataset's own ``take`` if it is a
            `BatchDataset`; `default_convert` for single samples.
        drop_last: Leave out a last batch that would be smaller.
        seed: For ``shuffle``, from 0 to 2**64 - 1.

    Raises:
        ValueError: If arguments exclude each other, if ``batch_size`` is not positive, or if an
            empty dataset is to be shuffled.

    Example:
        >>> import numpy as np
        >>> from distgrad.data import TensorDataset
        >>> loader = DataLoader(TensorDataset(x=np.arange(5)), batch_size=2, shuffle=True)
        >>> len(loader), [batch.x.tolist() for batch in loader]
        (3, [[0, 2], [4, 1], [3]])
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        *,
        collate_fn: Callable[[Any], Any] | None = None,
        drop_last: bool = False,
        seed: int = 0,
    ) -> None:
        _refuse_contradictions(batch_size, shuffle, sampler, batch_sampler, drop_last)
        if sampler is None:
            sampler = RandomSampler(dataset, seed) if shuffle else SequentialSampler(dataset)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.collate_fn = collate_fn
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[Any]:
        if self.batch_sampler is None:
            convert = self.collate_fn or default_convert
            return (convert(self.dataset[index]) for index in self.sampler)
        return (self._batch(indices) for indices in self.batch_sampler)

    def __len__(self) -> int:
        """Number of batches in an epoch (of samples with ``batch_size=None``).

        Raises:
            TypeError: If the sampler given has no length.
        """
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]

    def _batch(self, indices: Sequence[int]) -> Any:
        if self.collate_fn is None:
            return fetch(self.dataset, indices)
        return self.collate_fn([self.dataset[index] for index in indices])


def _refuse_contradictions(
    batch_size: int | None,
    shuffle: bool,
    sampler: Iterable[int] | None,
    batch_sampler: Iterable[Sequence[int]] | None,
    drop_last: bool,
) -> None:
    if sampler is not None and shuffle:
        raise ValueError("sampler sets the order, so shuffle=True excludes it; pass one of them")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ValueError(
                "batch_sampler makes the batches, so it excludes batch_size, shuffle, sampler "
                "and drop_last; pass it alone"
            )
    elif batch_size is None and drop_last:
        raise ValueError(
            "batch_size=None gives single samples, so drop_last=True has no batch to drop; "
            "leave it out or give a batch_size"
        )
