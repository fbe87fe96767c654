"""Global batches, cut into micro-batches in a way that does not know the number of ranks."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain, pairwise
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distgrad.autograd import random_scope
from distgrad.data.checks import checked_integer, checked_seed, checked_sizes, require_samples
from distgrad.data.dataset import Dataset, fetch
from distgrad.data.read_ahead import ReadAhead
from distgrad.data.sampler import sample_order

__all__ = ["GlobalBatches", "Window", "reading_scope"]

_LONG = 1e-3
"""Seconds that make reading a micro-batch worth a thread: handing it over costs some 50 us."""


def reading_scope(seed: int, step: int, micro_batch: int) -> AbstractContextManager[None]:
    """Key the random draws of a dataset that is read, apart from all draws of training.

    So reading gives the same bits on every rank, in every thread, however often.
    """
    return random_scope(seed, 2**63 + step, micro_batch)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The samples of one optimizer step, as micro-batches.

    A window holds indices, not samples: any rank can read any of its micro-batches, in any order
    and as often as it likes, and gets the same bits. ``len(window)`` is their number.

    Attributes:
        dataset: Where the samples come from.
        indices: Their indices in order, of shape (samples,); read-only.
        micro_batch_size: Samples in each micro-batch but the last, which has what remains.
        seed: The seed of the `GlobalBatches`, by which the random numbers of the step are keyed.
        step: Number of windows before this one since the start of epoch 0.
        epoch: The epoch that it belongs to.
    """

    dataset: Dataset[Any]
    indices: NDArray[np.int64]
    micro_batch_size: int
    seed: int
    step: int
    epoch: int

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.indices)

    def __len__(self) -> int:
        return (self.samples + self.micro_batch_size - 1) // self.micro_batch_size

    def micro_batch(self, m: int) -> Any:
        """Return micro-batch ``m``, from 0 to ``len(window) - 1``, as a batch of Tensors.

        It holds the samples from ``m * micro_batch_size`` on.

        Raises:
            IndexError: If there is no such micro-batch.
        """
        if not 0 <= m < len(self):
            raise IndexError(
                f"micro-batch {m} is out of range: the window of step {self.step} has {len(self)}, "
                f"numbered from 0 to {len(self) - 1}"
            )
        start = m * self.micro_batch_size
        with reading_scope(self.seed, self.step, m):
            return fetch(self.dataset, self.indices[start : start + self.micro_batch_size])


@dataclass(frozen=True, slots=True, eq=False)
class _WindowReadAhead(Window):
    """A window whose micro-batches are read by threads; a copy in another process has none."""

    reader: ReadAhead = field(repr=False)

    def micro_batch(self, m: int) -> Any:
        return self.reader.get(self, m)

    def __reduce__(self) -> tuple[Any, ...]:
        return Window, tuple(getattr(self, name) for name in Window.__slots__)


def _read(task: tuple[Window, int]) -> Any:
    window, m = task
    return Window.micro_batch(window, m)


def _takes_long(window: Window) -> bool:
    """Try how long reading a micro-batch takes."""
    start = perf_counter()
    try:
        window.micro_batch(0)
    except Exception:
        return False  # the same comes up where it is read to be used, and is told there
    return perf_counter() - start > _LONG


class GlobalBatches:
    """The windows of each epoch: global batches in the order of one seeded permutation.

    Neither the order nor the cut into micro-batches knows the number of ranks, so that every rank
    makes the same windows and training can be the same for every number of them. The last window
    of an epoch has what remains, as the last micro-batch of a window has: each sample is seen once
    an epoch.

    ``epoch`` names the epoch that the next iteration yields, and to begin an iteration is to use it
    up. So each of ``for epoch in range(k): for window in windows: ...`` has an order of its own,
    also after a ``break``; inside the loop, ``window.epoch`` tells the epoch. To go on after p
    windows of epoch e, call ``set_epoch(e)`` and iterate over
    ``itertools.islice(windows, p, None)``: what is skipped is not read.

    Args:
        dataset: What to train on.
        global_batch_size: Samples in a window.
        micro_batch_size: Samples in a micro-batch, at most ``global_batch_size``; it need not
            divide it.
        seed: Names the orders, and the random numbers of the steps; from 0 to 2**64 - 1.
        shuffle: Draw the order of an epoch from (seed, epoch); otherwise it is that of the dataset.
        drop_last: Leave out a last window that would be smaller.
        num_workers: Number of threads that read micro-batches before they are asked for, while the
            model computes; 0 reads each when it is asked for. The batches are the same. The dataset
            is read from several threads at once; they end with the iteration. Default: 1 if the
            dataset says that it is ``thread_safe``, as distgrad's own do, and reading a micro-batch
            takes longer than a millisecond, which is tried once; else 0.

    Raises:
        ValueError: If a size is not positive, if the micro-batch is larger than the global batch,
            if the dataset is empty, if ``drop_last`` leaves no window, if the seed does not fit, or
            if ``num_workers`` is negative.

    Example:
        >>> import numpy as np
        >>> from distgrad.data import TensorDataset
        >>> windows = GlobalBatches(TensorDataset(x=np.arange(10)), 8, 3, shuffle=False)
        >>> for window in windows:
        ...     print(window.step, [window.micro_batch(m).x.tolist() for m in range(len(window))])
        0 [[0, 1, 2], [3, 4, 5], [6, 7]]
        1 [[8, 9]]
        >>> windows.epoch
        1
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        global_batch_size: int,
        micro_batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        drop_last: bool = False,
        num_workers: int | None = None,
    ) -> None:
        sizes = checked_sizes(global_batch_size, micro_batch_size)
        self.global_batch_size, self.micro_batch_size = sizes
        require_samples(dataset, "GlobalBatches")
        if drop_last and len(dataset) < global_batch_size:
            raise ValueError(
                f"drop_last=True leaves no window: the dataset has {len(dataset)} samples, fewer "
                f"than global_batch_size {global_batch_size}; use drop_last=False or at most "
                f"{len(dataset)}"
            )
        self.dataset = dataset
        self.seed = checked_seed(seed)
        self.shuffle = shuffle
        self.drop_last = drop_last
        if num_workers is not None:
            checked_integer("num_workers", num_workers, minimum=0)
        self.num_workers = num_workers
        self.epoch = 0
        self._is_slow: bool | None = None

    def __len__(self) -> int:
        """Number of windows in an epoch."""
        full, rest = divmod(len(self.dataset), self.global_batch_size)
        return full if rest == 0 or self.drop_last else full + 1

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch that the next iteration yields.

        Raises:
            ValueError: If ``epoch`` is not an integer of at least 0.
        """
        self.epoch = checked_integer("epoch", epoch, minimum=0)

    def __iter__(self) -> Iterator[Window]:
        epoch = self.epoch
        self.epoch += 1
        windows = self._windows(epoch)
        num_workers = self._workers(epoch) if self.num_workers is None else self.num_workers
        return self._read_ahead(windows, num_workers) if num_workers else windows

    def _workers(self, epoch: int) -> int:
        """Return how many threads are worth it."""
        if self._is_slow is None:
            is_safe = getattr(self.dataset, "thread_safe", False)
            self._is_slow = is_safe and _takes_long(next(self._windows(epoch)))
        return int(self._is_slow)

    def _windows(self, epoch: int) -> Iterator[Window]:
        order = sample_order(len(self.dataset), self.seed, epoch, self.shuffle)
        order.flags.writeable = False
        for position in range(len(self)):
            start = position * self.global_batch_size
            yield Window(
                self.dataset,
                order[start : start + self.global_batch_size],
                self.micro_batch_size,
                seed=self.seed,
                step=epoch * len(self) + position,
                epoch=epoch,
            )

    def _read_ahead(self, windows: Iterator[Window], num_workers: int) -> Iterator[Window]:
        reader = ReadAhead(_read, num_workers)
        try:
            for window, following in pairwise(chain(windows, [None])):
                assert window is not None  # None marks the end
                reader.turn_to(window, following)
                yield _WindowReadAhead(
                    window.dataset,
                    window.indices,
                    window.micro_batch_size,
                    window.seed,
                    window.step,
                    window.epoch,
                    reader,
                )
        finally:
            reader.close()
