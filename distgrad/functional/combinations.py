"""Tensors put together from all choices of some elements, or from their powers."""

import itertools
from typing import Any

import numpy as np

from distgrad.creation import as_tensor
from distgrad.functional.joins import cat, meshgrid, stack
from distgrad.tensor import Tensor

__all__ = ["cartesian_prod", "combinations", "vander"]


def cartesian_prod(*tensors: Any) -> Tensor:
    """Return all ways to choose an element of each vector, as rows.

    Raises:
        RuntimeError: If there is no vector, or if one is something else.

    Example:
        >>> cartesian_prod(as_tensor([1, 2]), as_tensor([3, 4]))
        tensor([[1, 3],
                [1, 4],
                [2, 3],
                [2, 4]])
    """
    vectors = [as_tensor(x) for x in tensors]
    if not vectors or any(x.ndim != 1 for x in vectors):
        raise RuntimeError(
            f"cartesian_prod() takes vectors, at least one, got shapes {[x.shape for x in vectors]}"
        )
    if len(vectors) == 1:
        return vectors[0]
    return stack([grid.ravel() for grid in meshgrid(*vectors, indexing="ij")], 1)


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Return all ways to choose ``r`` elements of a vector, as rows, in the elements' order.

    Args:
        input: The vector.
        r: How many are chosen.
        with_replacement: Whether one may be chosen several times.

    Raises:
        RuntimeError: If ``input`` is no vector, or if ``r`` is negative.

    Example:
        >>> combinations(as_tensor([1, 2, 3]))
        tensor([[1, 2],
                [1, 3],
                [2, 3]])
    """
    x = as_tensor(input)
    if x.ndim != 1 or r < 0:
        raise RuntimeError(
            f"combinations() takes a vector and r of 0 or more, got shape {x.shape} and r={r}"
        )
    if r == 0:
        return x[:0]
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    return x[np.array([*choose(range(len(x)), r)], np.int64).reshape(-1, r)]


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:  # noqa: N803  its name
    """Return the powers of each element, as rows: the Vandermonde matrix.

    Args:
        x: A vector.
        N: The number of powers, from 0 to ``N - 1``. Default: as many as there are elements.
        increasing: Whether the power 0 comes first. Default: last.

    Raises:
        RuntimeError: If ``x`` is no vector, or if ``N`` is negative.

    Example:
        >>> vander(as_tensor([1, 2, 3]))
        tensor([[1, 1, 1],
                [4, 2, 1],
                [9, 3, 1]])
    """
    vector = as_tensor(x)
    if vector.ndim != 1 or (N is not None and N < 0):
        raise RuntimeError(
            f"vander() takes a vector and N of 0 or more, got shape {vector.shape} and N={N}"
        )
    count = len(vector) if N is None else N
    if vector.dtype.kind in "bu" or (vector.dtype.itemsize < 8 and vector.dtype.kind == "i"):
        vector = vector.to(np.int64)
    ones = vector.new_ones(len(vector), min(count, 1))
    base = vector.unsqueeze(1).expand(len(vector), max(count - 1, 0))
    powers = cat([ones, base.cumprod(1)], 1)
    return powers if increasing else powers.flip(1)
