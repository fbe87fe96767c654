"""Random bits by key: Philox 4x64-10, in NumPy's counter layout.

A draw is named by (seed, stream, counter words) and by nothing else: not by the rank, not by what
was drawn before. The generator is J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2,
3", SC11.
"""

import math
from enum import IntEnum
from operator import index

import numpy as np

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.table import kernel

__all__ = ["Stream", "philox", "random_bits"]


class Stream(IntEnum):
    """What the bits are for; streams of one seed never overlap."""

    MODEL = 0
    """Initialisation, dropout: everything drawn inside the random scope."""
    ORDER = 1
    """The order of samples."""
    DATA = 2
    """Synthetic samples and splits."""
    SAMPLE = 3
    """What a trained model writes."""


def philox(seed: int, stream: int, *counter: int) -> np.random.Generator:
    """Return the generator of one keyed draw.

    Args:
        seed: Any integer from 0 to 2**64 - 1.
        stream: What the bits are for, a `Stream`.
        *counter: Up to three words from 0 to 2**64 - 1 that tell draws apart, such as
            (step, micro-batch, call); fewer stand for leading zeros. The fourth word counts the
            blocks within the draw.

    Raises:
        TypeError: If a word is not an integer.
        ValueError: If a word does not fit, or if there are more than three.

    Example:
        >>> philox(0, Stream.ORDER, 3).permutation(5).tolist()
        [2, 4, 1, 0, 3]
    """
    if len(counter) > 3:
        raise ValueError(f"a draw is named by at most 3 counter words, got {len(counter)}")
    for name, word in [("seed", seed), ("stream", stream), *(("counter", w) for w in counter)]:
        if not 0 <= index(word) < 2**64:
            raise ValueError(f"{name} must be from 0 to 2**64 - 1, got {word}")
    words = np.zeros(4, np.uint64)
    words[1 : 1 + len(counter)] = counter[::-1]
    key = np.array([seed, stream], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=words))


@kernel
def random_bits(
    xp: Namespace, shape: tuple[int, ...], /, seed: int, stream: int, counter: tuple[int, ...]
) -> Array:
    """Return the numbers of 32 bits of one draw, an array of the namespace.

    Args:
        xp: The namespace.
        shape: Of the result.
        seed: As for `philox`.
        stream: The same.
        counter: The three counter words.

    Example:
        >>> random_bits(np, (2,), seed=0, stream=Stream.MODEL, counter=(0, 0, 0)).tolist()
        [149215387, 49592932]
    """
    count = math.prod(shape)
    words = philox(seed, stream, *counter).bit_generator.random_raw(-(-count // 2))
    bits = words.astype("<u8", copy=False).view("<u4")[:count].reshape(shape)
    return bits if xp is np else xp.asarray(bits)
