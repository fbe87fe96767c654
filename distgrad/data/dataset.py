"""Datasets with an index: the protocol, arrays in memory, subsets and splits."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import accumulate, cycle, islice
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from distgrad.backend import Array, Stream, array_namespace, philox
from distgrad.data.checks import checked_seed, holds_numbers
from distgrad.data.collate import default_collate
from distgrad.data.fields import fields_class
from distgrad.tensor import Tensor

__all__ = ["BatchDataset", "Dataset", "Subset", "TensorDataset", "fetch", "random_split"]

Sample = TypeVar("Sample", covariant=True)
Indices = Sequence[int] | NDArray[np.integer[Any]]


class Dataset(Protocol[Sample]):
    """Anything with a length and a sample for every index from 0 to ``len(dataset) - 1``.

    Reading a sample must give the same values every time, on every rank, and from several threads
    at once where it is read with workers. Random augmentation belongs behind it, as in
    `distgrad.data.transforms`; draws by distgrad's own functions are safe inside it too: they are
    keyed by the batch that is read.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Sample: ...


class BatchDataset(ABC):
    """Base class of datasets that gather a whole batch faster than sample by sample.

    Deriving from it is the promise; a method called ``take`` alone is none, because arrays and
    data frames have one that means something else.

    Attributes:
        thread_safe: Whether any thread may take a batch, also several at once. Then a thread reads
            ahead where that takes long; see `GlobalBatches`. Any other dataset may have the
            attribute, too. Default: False.
    """

    thread_safe: bool = False

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int, /) -> Any: ...

    @abstractmethod
    def take(self, indices: Indices, /) -> Any:
        """Return the batch of the samples at ``indices``, in their order."""


def fetch(dataset: Dataset[Any], indices: Indices) -> Any:
    """Return the batch of the samples at ``indices``: taken at once or collated one by one."""
    if isinstance(dataset, BatchDataset):
        return dataset.take(indices)
    return default_collate([dataset[int(index)] for index in indices])


def checked_indices(indices: Indices, length: int) -> NDArray[np.intp]:
    """Return ``indices`` as an array of indices from 0; negative ones count from the end.

    Raises:
        TypeError: If they are not integers, as in a boolean mask.
        IndexError: If one of them is not from ``-length`` to ``length - 1``.
    """
    array = np.asarray(indices)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(
            f"indices must be integers, got {array.dtype}; for a boolean mask pass "
            "numpy.flatnonzero(mask)"
        )
    outside = array[(array < -length) | (array >= length)]
    if outside.size:
        raise IndexError(
            f"index {outside.flat[0]} is out of range for {length} samples; it must be from "
            f"{-length} to {length - 1}"
        )
    return (array % length).astype(np.intp)


class TensorDataset(BatchDataset):
    """Arrays of one length; sample i is row i of each of them.

    Named arrays give named tuples, positional ones plain tuples, for samples and batches alike.
    The dataset keeps the arrays, so that nothing is copied until a batch is taken; data types stay
    as they are.

    Args:
        *arrays: Arrays or Tensors of shape (n, ...).
        **named_arrays: The same, with names.

    Raises:
        ValueError: If there are no arrays, if positional and named ones are mixed, if the lengths
            differ or if a name cannot be a field.
        TypeError: If an argument is no array or Tensor of numbers.

    Example:
        >>> import numpy as np
        >>> dataset = TensorDataset(x=np.zeros((5, 3), np.float32), y=np.arange(5))
        >>> batch = dataset.take([4, 0])
        >>> batch.x.shape, batch.y.tolist()
        ((2, 3), [4, 0])
        >>> x, y = dataset[2]
        >>> x.shape, y.item()
        ((3,), 2)
    """

    thread_safe = True

    def __init__(self, /, *arrays: Array | Tensor, **named_arrays: Array | Tensor) -> None:
        if bool(arrays) == bool(named_arrays):
            raise ValueError(
                f"got {len(arrays)} positional and {len(named_arrays)} named arrays; pass "
                "TensorDataset(a, b) for plain tuples or TensorDataset(x=a, y=b) for named ones"
            )
        named = named_arrays or {str(i): array for i, array in enumerate(arrays)}
        self.names = tuple(named_arrays) or None
        if self.names:
            fields_class(self.names)  # refuses a bad name here and not at the first batch
        self.arrays = {name: _raw_array(name, array) for name, array in named.items()}
        self._is_on_host = all(isinstance(array, np.ndarray) for array in self.arrays.values())
        if not self._is_on_host:
            self.thread_safe = False  # which GPU is the current one is said for each thread
        if len({len(array) for array in self.arrays.values()}) > 1:
            lengths = ", ".join(f"{name}: {len(array)}" for name, array in self.arrays.items())
            raise ValueError(
                f"arrays of a dataset must have one length, got {lengths}; give each a row a sample"
            )

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The arrays as Tensors, in their order, sharing memory."""
        return tuple(Tensor(array) for array in self.arrays.values())

    @property
    def content(self) -> dict[str, Array]:
        """The arrays that every sample is made of, by name: what `data_sha256` hashes."""
        return self.arrays

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def __getitem__(self, index: int | slice, /) -> Any:
        """Return sample ``index``, or the batch of a slice; both share memory with the arrays."""
        return self._pack([array[index, ...] for array in self.arrays.values()])

    def take(self, indices: Indices, /) -> Any:
        """Return a copy of the samples at ``indices`` as one batch of Tensors.

        Of read-only arrays, such as those of files mapped into memory, rows that follow one another
        are not copied.

        Raises:
            TypeError: If the indices are not integers.
            IndexError: If an index is not from ``-len(dataset)`` to ``len(dataset) - 1``.
        """
        rows = indices if self._refuses(indices) else checked_indices(indices, len(self))
        try:
            return self._pack([_taken(array, rows) for array in self.arrays.values()])
        except IndexError:
            checked_indices(indices, len(self))  # says it in terms of samples
            raise

    def _refuses(self, indices: Indices) -> bool:
        """Tell whether taking rows refuses bad ones of such indices: only NumPy looks at them."""
        return self._is_on_host and type(indices) is np.ndarray and indices.dtype == np.intp

    def _pack(self, parts: list[Array]) -> Any:
        tensors = [Tensor(part) for part in parts]
        return fields_class(self.names)(*tensors) if self.names else tuple(tensors)


def _raw_array(name: str, value: Any) -> Array:
    array = value.data if isinstance(value, Tensor) else value
    if not isinstance(array, array_namespace(array).ndarray):
        raise TypeError(
            f"array {name} must be an array or a Tensor, got {type(array).__name__}; make it one "
            "by distgrad.tensor(values)"
        )
    if not holds_numbers(array):
        raise TypeError(f"array {name} must hold numbers, got {array.dtype}; encode it as integers")
    if array.ndim == 0:
        raise ValueError(f"array {name} must have a first axis of samples, got shape ()")
    return array


def _taken(array: Array, rows: Indices) -> Array:
    if not isinstance(array, np.ndarray):  # on a GPU
        return array.take(array_namespace(array).asarray(rows), axis=0)
    if not array.flags.writeable and _are_a_slice(rows, len(array)):
        return array[rows[0] : rows[-1] + 1]  # nobody can change the dataset by it
    if array.flags.c_contiguous:
        return array.take(rows, axis=0)
    # ``take`` would first copy the whole array, which may be a view much larger than its memory.
    return array_namespace(array).ascontiguousarray(array[rows])


def _are_a_slice(rows: Indices, length: int) -> bool:
    """Tell whether rows are one behind the other, and all of them there."""
    count = len(rows)
    if not count or rows[-1] - rows[0] != count - 1 or rows[0] < 0 or rows[-1] >= length:
        return False
    return bool((np.diff(rows) == 1).all())


class Subset(BatchDataset):
    """The samples of a dataset at the given indices.

    Args:
        dataset: The whole dataset.
        indices: Integers from ``-len(dataset)`` to ``len(dataset) - 1``, in any order.

    Raises:
        TypeError: If the indices are not integers.
        IndexError: If an index is out of range.

    Example:
        >>> import numpy as np
        >>> subset = Subset(TensorDataset(x=np.arange(10.0)), [7, 3])
        >>> len(subset), subset[0].x.item(), subset.take([1, 0]).x.tolist()
        (2, 7.0, [3.0, 7.0])
    """

    def __init__(self, dataset: Dataset[Any], indices: Indices) -> None:
        self.dataset = dataset
        self.indices = checked_indices(indices, len(dataset))
        self.thread_safe = getattr(dataset, "thread_safe", False)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int, /) -> Any:
        return self.dataset[int(self.indices[index])]

    def take(self, indices: Indices, /) -> Any:
        """Return the batch of the samples at these positions of the subset."""
        return fetch(self.dataset, self.indices[checked_indices(indices, len(self))])


def random_split(
    dataset: Dataset[Any], lengths: Sequence[int] | Sequence[float], seed: int = 0
) -> list[Subset]:
    """Split a dataset at random into subsets that share no sample.

    As in PyTorch, fractions that sum to 1 are rounded down and what remains is dealt out one by
    one from the first subset on. The permutation is drawn from ``seed`` where PyTorch takes a
    generator: the same seed always gives the same split.

    Args:
        dataset: What to split.
        lengths: Numbers of samples that sum to ``len(dataset)``, or fractions that sum to 1.
        seed: From 0 to 2**64 - 1.

    Raises:
        ValueError: If a length is negative, if the sum is neither, or if the seed does not fit.

    Example:
        >>> import numpy as np
        >>> parts = random_split(TensorDataset(np.arange(10)), [0.75, 0.25])
        >>> [len(part) for part in parts]
        [8, 2]
    """
    counts = _counts(lengths, len(dataset))
    order = philox(checked_seed(seed), Stream.DATA).permutation(len(dataset))
    ends = accumulate(counts)
    return [Subset(dataset, order[end - n : end]) for n, end in zip(counts, ends, strict=True)]


def _counts(lengths: Sequence[float], total: int) -> list[int]:
    if any(length < 0 for length in lengths):
        raise ValueError(f"lengths must not be negative, got {list(lengths)}")
    if all(length == int(length) for length in lengths) and sum(lengths) == total:
        return [int(length) for length in lengths]
    if not math.isclose(sum(lengths), 1):
        raise ValueError(
            f"lengths must sum to the {total} samples of the dataset, or to 1 as fractions; "
            f"{list(lengths)} sum to {sum(lengths)}"
        )
    counts = [math.floor(fraction * total) for fraction in lengths]
    for i in islice(cycle(range(len(counts))), total - sum(counts)):
        counts[i] += 1
    return counts
