"""Samplers: in which order, and in which batches, the indices of a dataset are visited.

PyTorch's contracts, with orders drawn by key from (seed, epoch) where PyTorch takes a generator.
"""

from collections.abc import Iterable, Iterator, Sized
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from distgrad.backend import Stream, philox
from distgrad.data.checks import checked_integer, checked_seed, require_samples

__all__ = [
    "BatchSampler",
    "DistributedSampler",
    "RandomSampler",
    "SequentialSampler",
    "sample_order",
]


def sample_order(length: int, seed: int, epoch: int, shuffle: bool = True) -> NDArray[np.int64]:
    """Return the order of an epoch: a permutation of ``range(length)`` named by (seed, epoch).

    Without ``shuffle`` it is ``range(length)`` itself.

    Example:
        >>> sample_order(5, seed=0, epoch=3).tolist()
        [2, 4, 1, 0, 3]
    """
    if not shuffle:
        return np.arange(length)
    return philox(seed, Stream.ORDER, epoch).permutation(length)


class SequentialSampler:
    """The indices 0, 1, 2 ... in this order.

    Example:
        >>> list(SequentialSampler("abc"))
        [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler:
    """Every index once, in an order drawn from (seed, epoch).

    ``epoch`` names the order of the next iteration. To begin an iteration is to use it up, so that
    every ``for`` loop sees a new order, however early the last one was left.

    Args:
        data_source: What the indices are for.
        seed: From 0 to 2**64 - 1.

    Raises:
        ValueError: If ``data_source`` is empty or the seed does not fit.

    Example:
        >>> sampler = RandomSampler(range(5))
        >>> first, second = list(sampler), list(sampler)
        >>> first, second
        ([0, 2, 4, 1, 3], [0, 4, 1, 3, 2])
        >>> sampler.set_epoch(0)
        >>> list(sampler) == first
        True
    """

    def __init__(self, data_source: Sized, seed: int = 0) -> None:
        require_samples(data_source, "RandomSampler")
        self.data_source = data_source
        self.seed = checked_seed(seed)
        self.epoch = 0

    def __iter__(self) -> Iterator[int]:
        epoch = self.epoch
        self.epoch += 1
        return iter(sample_order(len(self), self.seed, epoch).tolist())

    def __len__(self) -> int:
        return len(self.data_source)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration.

        Raises:
            ValueError: If ``epoch`` is not an integer of at least 0.
        """
        self.epoch = checked_integer("epoch", epoch, minimum=0)


class BatchSampler:
    """Lists of ``batch_size`` indices from another sampler.

    Args:
        sampler: Any iterable of indices.
        batch_size: Indices in a list.
        drop_last: Leave out a last list that would be shorter.

    Raises:
        ValueError: If ``batch_size`` is not an integer of at least 1 or ``drop_last`` no boolean.

    Example:
        >>> list(BatchSampler(range(7), batch_size=3, drop_last=False))
        [[0, 1, 2], [3, 4, 5], [6]]
        >>> list(BatchSampler(range(7), batch_size=3, drop_last=True))
        [[0, 1, 2], [3, 4, 5]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last must be True or False, got {drop_last!r}")
        self.sampler = sampler
        self.batch_size = checked_integer("batch_size", batch_size, minimum=1)
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        length = len(self.sampler)  # type: ignore[arg-type]  # as in PyTorch, a TypeError if it has none
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)


class DistributedSampler:
    """One rank's share of the indices: every ``num_replicas``-th, starting from ``rank``.

    PyTorch's contract. All shares have one length: where the dataset does not divide, indices from
    the start of the order are repeated, or with ``drop_last`` the tail is left out. The repeats
    count samples twice, so do not evaluate with it: `DataParallel.evaluate` sees each sample once.
    For training that does not depend on the number of ranks use `GlobalBatches`.

    Call `set_epoch` before each epoch; without it every epoch has the same order.

    Args:
        dataset: What the indices are for.
        num_replicas: Number of ranks, as in ``comm.size``.
        rank: This rank, from 0 to ``num_replicas - 1``, as in ``comm.rank``.
        shuffle: Draw the order from (seed, epoch).
        seed: From 0 to 2**64 - 1, the same on all ranks.
        drop_last: Leave out the tail instead of repeating the start.

    Attributes:
        num_samples: Length of this and of every other share.
        total_size: ``num_samples * num_replicas``.

    Raises:
        ValueError: If ``num_replicas`` is not positive, if ``rank`` is not one of the ranks, or if
            the seed does not fit.

    Example:
        >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
        [1, 3, 0]
        >>> list(DistributedSampler(range(5), 2, rank=1, shuffle=False, drop_last=True))
        [1, 3]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int,
        rank: int,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        self.num_replicas = checked_integer("num_replicas", num_replicas, minimum=1)
        self.rank = checked_integer("rank", rank, minimum=0)
        if self.rank >= self.num_replicas:
            raise ValueError(
                f"rank {rank} is out of range: with num_replicas={num_replicas} it is from 0 to "
                f"{num_replicas - 1}"
            )
        self.dataset = dataset
        self.shuffle = shuffle
        self.seed = checked_seed(seed)
        self.drop_last = drop_last
        self.epoch = 0
        length = len(dataset)
        self.num_samples = length // num_replicas if drop_last else -(-length // num_replicas)
        self.total_size = self.num_samples * self.num_replicas

    def __iter__(self) -> Iterator[int]:
        length = len(self.dataset)
        order = sample_order(length, self.seed, self.epoch, self.shuffle)
        share = np.arange(self.rank, self.total_size, self.num_replicas)
        return iter(order[share % length].tolist())

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch whose order is drawn, the same on all ranks.

        Raises:
            ValueError: If ``epoch`` is not an integer of at least 0.
        """
        self.epoch = checked_integer("epoch", epoch, minimum=0)
