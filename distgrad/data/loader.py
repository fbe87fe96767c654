"""Batches of a dataset, one after the other."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from itertools import count
from typing import Any, cast

import numpy as np

from distgrad.autograd import next_generator, random_scope
from distgrad.data.checks import checked_integer
from distgrad.data.collate import default_collate, default_convert
from distgrad.data.dataset import Dataset, fetch
from distgrad.data.sampler import BatchSampler, RandomSampler, SequentialSampler
from distgrad.data.streaming import IterableDataset, is_stream, require_beginnings
from distgrad.data.workers import ordered_map

__all__ = ["DataLoader"]

_TAKING, _LOADING = 0, 1  # what a draw is made for: indices or samples of a stream, or the batch


class DataLoader:
    """Iterate over a dataset in batches.

    PyTorch's contract, with three differences. ``shuffle=True`` draws the order of each epoch from
    (``seed``, epoch), where PyTorch takes a generator, so that a second run sees the same batches;
    ``loader.sampler.set_epoch(e)`` goes to any epoch. (Make one loader for all epochs: it counts
    them, and a new one starts with epoch 0.) A batch of tuples is a tuple. And workers are threads,
    because a process must not be forked under MPI: nothing has to be pickled, the dataset is read
    from several threads at once, and they end with the iteration. Batches do not depend on their
    number.

    Args:
        dataset: What to load: a dataset with an index, or an iterable of samples, whose order it
            is then (see `IterableDataset`).
        batch_size: Samples in a batch; None gives single samples, without a batch axis.
        shuffle: See every epoch in another order.
        sampler: Indices in the order to use instead.
        batch_sampler: Lists of indices, one for each batch, instead.
        collate_fn: Makes a batch of a list of samples (with ``batch_size=None``: converts one
            sample). By default `default_collate`, or the dataset's own ``take`` if it is a
            `BatchDataset`; `default_convert` for single samples.
        drop_last: Leave out a last batch that would be smaller.
        seed: For ``shuffle``, from 0 to 2**64 - 1.
        num_workers: Number of threads that load batches ahead, two each; 0 loads each batch when
            it is asked for. An iterable is read by the consumer: only batches are made by threads.

    Raises:
        ValueError: If arguments exclude each other, if ``batch_size`` is not positive or
            ``num_workers`` negative, or if an empty dataset is to be shuffled.
        TypeError: If the dataset is an iterator, which could be read once only.

    Example:
        >>> import numpy as np
        >>> from distgrad.data import TensorDataset
        >>> loader = DataLoader(TensorDataset(x=np.arange(5)), batch_size=2, shuffle=True)
        >>> len(loader), [batch.x.tolist() for batch in loader]
        (3, [[0, 2], [4, 1], [3]])
    """

    def __init__(
        self,
        dataset: Dataset[Any] | IterableDataset[Any],
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        *,
        collate_fn: Callable[[Any], Any] | None = None,
        drop_last: bool = False,
        seed: int = 0,
        num_workers: int = 0,
    ) -> None:
        _refuse_contradictions(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self._is_stream = is_stream(dataset)
        order: Any = sampler
        if self._is_stream:
            _refuse_order(dataset, shuffle, sampler, batch_sampler)
            require_beginnings(dataset)
            order = dataset  # what is batched is not indices but samples
        elif order is None:
            sized = cast(Sized, dataset)
            order = RandomSampler(sized, seed) if shuffle else SequentialSampler(sized)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(order, batch_size, drop_last)
        self.dataset: Any = dataset
        self.batch_size = batch_size
        self.sampler = order
        self.batch_sampler = batch_sampler
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.num_workers = checked_integer("num_workers", num_workers, minimum=0)

    def __iter__(self) -> Iterator[Any]:
        # Draws of the dataset are keyed by the batch, so that workers do not change them.
        seed = int(next_generator().integers(2**64, dtype=np.uint64))
        items = iter(self._items)

        def tasks() -> Iterator[tuple[int, Any]]:
            for number in count():
                with random_scope(seed, _TAKING, number):
                    try:
                        item = next(items)
                    except StopIteration:
                        return
                yield number, item

        def load(task: tuple[int, Any]) -> Any:
            number, item = task
            with random_scope(seed, _LOADING, number):
                return self._load(item)

        return ordered_map(load, tasks(), self.num_workers)

    def __len__(self) -> int:
        """Number of batches in an epoch (of samples with ``batch_size=None``).

        Raises:
            TypeError: If the sampler or the iterable has no length.
        """
        return len(self._items)

    @property
    def _items(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def _load(self, item: Any) -> Any:
        if self.batch_sampler is None:
            return (self.collate_fn or default_convert)(self._sample(item))
        if self.collate_fn is not None:
            return self.collate_fn([self._sample(index) for index in item])
        return default_collate(item) if self._is_stream else fetch(self.dataset, item)

    def _sample(self, item: Any) -> Any:
        return item if self._is_stream else self.dataset[item]


def _refuse_order(
    dataset: object,
    shuffle: bool,
    sampler: Iterable[int] | None,
    batch_sampler: Iterable[Sequence[int]] | None,
) -> None:
    if shuffle or sampler is not None or batch_sampler is not None:
        raise ValueError(
            "shuffle, sampler and batch_sampler set an order of indices, but "
            f"{type(dataset).__name__} has none (no __getitem__): its own order holds; leave them "
            "out, or take StreamingBatches(shuffle_buffer=...)"
        )


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
