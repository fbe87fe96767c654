"""Global batches cut from a stream of samples that has no length."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from itertools import count, islice
from typing import Any, Protocol, TypeVar

import numpy as np

from distgrad.backend import Stream, philox
from distgrad.data.checks import checked_integer, checked_seed, checked_sizes
from distgrad.data.windows import Window, reading_scope
from distgrad.data.workers import ordered_map

__all__ = ["IterableDataset", "StreamingBatches", "is_stream", "require_beginnings"]

Sample = TypeVar("Sample", covariant=True)

_SHUFFLING = 1  # word of its own in the ORDER stream: a permutation of indices has none
_READING = 2**63  # in the place of the micro-batch: a read of the stream is for a whole window


class IterableDataset(Protocol[Sample]):
    """Anything whose ``iter()`` begins anew and gives samples, in the same order on every rank.

    A generator is none: it can be read once. Wrap the function that makes it::

        class Lines:
            def __iter__(self):
                with open("lines.txt") as file:
                    yield from map(parse, file)
    """

    def __iter__(self) -> Iterator[Sample]: ...


def is_stream(dataset: object) -> bool:
    """Tell whether samples come one after the other only, without an index."""
    return not hasattr(dataset, "__getitem__")


def require_beginnings(dataset: object) -> None:
    """Refuse a stream that cannot be read more than once.

    Raises:
        TypeError: If it is not iterable, or an iterator.
    """
    name = type(dataset).__name__
    if not hasattr(dataset, "__iter__"):
        raise TypeError(f"a stream must be iterable, got {name}; give it an __iter__")
    if isinstance(dataset, Iterator):
        raise TypeError(
            f"{name} is an iterator, which can be read once; pass an object whose __iter__ begins "
            "anew, such as one that calls the generator function"
        )


class StreamingBatches:
    """The windows of each epoch of a stream, cut from it in its order.

    Every rank reads the whole stream and keeps the samples of one window; batches it makes of the
    micro-batches that it is asked for. So the windows do not know the number of ranks, and
    training can be the same for every number of them, as with `GlobalBatches`.

    The promise about the order is weaker. Samples come as the stream has them, every epoch alike,
    unless there is a shuffle buffer: then each is drawn at random from the ``shuffle_buffer``
    oldest and newest that wait, so that a sample comes at most ``shuffle_buffer - 1`` places early,
    though it may come any number of places late. The draws are named by (seed, epoch). And to go
    on in the middle of an epoch, what is skipped is read: call ``set_epoch(e, step)`` and iterate
    over ``itertools.islice(batches, p, None)``.

    ``epoch`` names the epoch that the next iteration yields, and to begin an iteration is to use it
    up. ``step`` is the number of the next window: it counts the windows handed out, since how many
    an epoch has is not known before its end. Iterate over one epoch at a time.

    Args:
        dataset: An iterable that begins anew each time; see `IterableDataset`.
        global_batch_size: Samples in a window; the last of an epoch has what remains.
        micro_batch_size: Samples in a micro-batch, at most ``global_batch_size``.
        seed: Names the orders, and the random numbers of the steps; from 0 to 2**64 - 1.
        shuffle_buffer: How many samples wait to be drawn from; 0 keeps the order.
        drop_last: Leave out a last window that would be smaller.
        read_ahead: Have a thread read the next windows meanwhile. They are the same, and the thread
            ends with the iteration.

    Raises:
        TypeError: If the dataset cannot be iterated over more than once.
        ValueError: If a size is not positive, if the micro-batch is larger than the global batch,
            if the seed does not fit, or if the buffer is negative. During the iteration, if the
            stream has no sample, or too few for one window with ``drop_last``.

    Example:
        >>> class Squares:
        ...     def __iter__(self):
        ...         return ((i, i * i) for i in range(5))
        >>> for window in StreamingBatches(Squares(), 4, 3):
        ...     for m in range(len(window)):
        ...         number, square = window.micro_batch(m)
        ...         print(window.step, square.tolist())
        0 [0, 1, 4]
        0 [9]
        1 [16]
    """

    def __init__(
        self,
        dataset: IterableDataset[Any],
        global_batch_size: int,
        micro_batch_size: int,
        *,
        seed: int = 0,
        shuffle_buffer: int = 0,
        drop_last: bool = False,
        read_ahead: bool = False,
    ) -> None:
        require_beginnings(dataset)
        sizes = checked_sizes(global_batch_size, micro_batch_size)
        self.global_batch_size, self.micro_batch_size = sizes
        self.dataset = dataset
        self.seed = checked_seed(seed)
        self.shuffle_buffer = checked_integer("shuffle_buffer", shuffle_buffer, minimum=0)
        self.drop_last = drop_last
        self.read_ahead = read_ahead
        self.epoch = 0
        self.step = 0

    def set_epoch(self, epoch: int, step: int) -> None:
        """Set the epoch that the next iteration yields.

        Args:
            epoch: Its number, from 0.
            step: Number of windows before it since the start of epoch 0.

        Raises:
            ValueError: If one of them is not an integer of at least 0.
        """
        self.epoch = checked_integer("epoch", epoch, minimum=0)
        self.step = checked_integer("step", step, minimum=0)

    def __iter__(self) -> Iterator[Window]:
        epoch = self.epoch
        self.epoch += 1
        return self._windows(epoch)

    def _windows(self, epoch: int) -> Iterator[Window]:
        first = self.step
        with closing(self._cut(epoch, first)) as cut:
            for samples in cut:
                if not samples or (self.drop_last and len(samples) < self.global_batch_size):
                    break
                step = self.step
                self.step += 1
                yield self._window(samples, step, epoch)
        if self.step == first:
            self._refuse(epoch, len(samples))

    def _cut(self, epoch: int, step: int) -> Generator[list[Any], None, None]:
        """Return the samples of each window, and then empty lists for ever."""
        stream = self._samples(epoch)

        def read(step: int) -> list[Any]:
            with reading_scope(self.seed, step, _READING):
                return list(islice(stream, self.global_batch_size))

        # One thread at most, because one at a time can read a stream.
        return ordered_map(read, count(step), num_workers=int(self.read_ahead))

    def _window(self, samples: list[Any], step: int, epoch: int) -> Window:
        indices = np.arange(len(samples))
        indices.flags.writeable = False
        return Window(samples, indices, self.micro_batch_size, self.seed, step, epoch)

    def _samples(self, epoch: int) -> Iterator[Any]:
        if not self.shuffle_buffer:
            return iter(self.dataset)
        generator = philox(self.seed, Stream.ORDER, _SHUFFLING, epoch)
        return shuffled(self.dataset, self.shuffle_buffer, generator)

    def _refuse(self, epoch: int, samples: int) -> None:
        if samples:
            raise ValueError(
                f"drop_last=True leaves no window: the stream has {samples} samples, fewer than "
                f"global_batch_size {self.global_batch_size}; use drop_last=False or at most "
                f"{samples}"
            )
        raise ValueError(
            f"the stream has no sample in epoch {epoch}: a window needs at least 1; check the "
            "source, and that iter() of it begins anew"
        )


def shuffled(samples: Iterable[Any], size: int, generator: np.random.Generator) -> Iterator[Any]:
    """Yield the samples in an order drawn through a buffer of ``size`` of them.

    Example:
        >>> list(shuffled(range(8), 3, philox(0, Stream.ORDER)))
        [2, 3, 0, 4, 5, 6, 7, 1]
    """
    stream = iter(samples)
    buffer = list(islice(stream, size))
    for sample in stream:
        place = int(generator.integers(size))
        yield buffer[place]
        buffer[place] = sample
    for place in generator.permutation(len(buffer)):
        yield buffer[place]
