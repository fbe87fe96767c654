"""Several tensors into one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from distgrad import ops
from distgrad.creation import as_tensor
from distgrad.functional.shapes import atleast_1d, atleast_2d, atleast_3d
from distgrad.tensor import Tensor, apply, promoted

__all__ = [
    "block_diag",
    "cat",
    "column_stack",
    "concat",
    "concatenate",
    "dstack",
    "hstack",
    "meshgrid",
    "row_stack",
    "stack",
    "vstack",
]


def cat(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Join tensors along an axis in which alone their shapes may differ.

    Args:
        tensors: At least one Tensor or array; one of shape (0,) joins anything and adds nothing.
        dim: The axis.

    Raises:
        ValueError: If there are no tensors, or their shapes do not fit.

    Example:
        >>> cat([as_tensor([1.0, 2.0]), as_tensor([3.0])])
        tensor([1., 2., 3.])
    """
    joined = _several("cat", tensors)
    filled = [x for x in joined if x.shape != (0,)]
    return apply(ops.concatenate, *(filled or joined), axis=dim)


concat = concatenate = cat


def stack(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis.

    Args:
        tensors: At least one Tensor or array.
        dim: Where the new axis is inserted.

    Raises:
        ValueError: If there are no tensors, or their shapes differ.

    Example:
        >>> stack([as_tensor([1, 2]), as_tensor([3, 4])], dim=1)
        tensor([[1, 3],
                [2, 4]])
    """
    return apply(ops.stack, *_several("stack", tensors), axis=dim)


def hstack(tensors: Sequence[Any]) -> Tensor:
    """Join tensors along the second axis, or vectors along their only one.

    Raises:
        ValueError: If there are no tensors, or their shapes do not fit.

    Example:
        >>> hstack([as_tensor([1, 2]), as_tensor(3)])
        tensor([1, 2, 3])
    """
    parts = atleast_1d(_several("hstack", tensors))
    return cat(parts, dim=0 if parts[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Tensor:
    """Join tensors along the first axis; a vector is a row.

    Raises:
        ValueError: If there are no tensors, or their shapes do not fit.

    Example:
        >>> vstack([as_tensor([1, 2]), as_tensor([3, 4])])
        tensor([[1, 2],
                [3, 4]])
    """
    return cat(atleast_2d(_several("vstack", tensors)), dim=0)


row_stack = vstack


def dstack(tensors: Sequence[Any]) -> Tensor:
    """Join tensors along the third axis; a matrix is of depth 1.

    Raises:
        ValueError: If there are no tensors, or their shapes do not fit.

    Example:
        >>> dstack([as_tensor([1, 2]), as_tensor([3, 4])])
        tensor([[[1, 3],
                 [2, 4]]])
    """
    return cat(atleast_3d(_several("dstack", tensors)), dim=2)


def column_stack(tensors: Sequence[Any]) -> Tensor:
    """Join tensors along the second axis; a vector is a column.

    Raises:
        ValueError: If there are no tensors, or their shapes do not fit.

    Example:
        >>> column_stack([as_tensor([1, 2]), as_tensor([3, 4])])
        tensor([[1, 3],
                [2, 4]])
    """
    parts = _several("column_stack", tensors)
    return cat([x if x.ndim > 1 else x.reshape(x.numel(), 1) for x in parts], dim=1)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Return the coordinates of a grid: for each vector its values, stretched along the others.

    Args:
        *tensors: Vectors or single numbers, of one data type; or one sequence of them.
        indexing: "ij", where axis i of the results is that of vector i, or "xy", where the first
            two are swapped.

    Raises:
        RuntimeError: If an input is more than a vector, their data types differ, there is none, or
            the indexing is another.

    Example:
        >>> rows, columns = meshgrid(as_tensor([1, 2]), as_tensor([3, 4, 5]))
        >>> rows.tolist(), columns.tolist()
        ([[1, 1, 1], [2, 2, 2]], [[3, 4, 5], [3, 4, 5]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    vectors = [as_tensor(x) for x in tensors]
    shapes, dtypes = [x.shape for x in vectors], {x.dtype.name for x in vectors}
    if not vectors or max(len(shape) for shape in shapes) > 1 or len(dtypes) > 1:
        raise RuntimeError(
            f"meshgrid() takes vectors or numbers of one data type, got shapes {shapes} of types "
            f"{sorted(dtypes)}"
        )
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'meshgrid(): indexing must be "ij" or "xy", got {indexing!r}')
    swap = indexing == "xy" and len(vectors) > 1
    order = [1, 0, *range(2, len(vectors))] if swap else list(range(len(vectors)))
    whole = [vectors[place].numel() for place in order]
    return tuple(
        x.reshape([x.numel() if place == mine else 1 for place in order]).expand(whole)
        for mine, x in enumerate(vectors)
    )


def _several(name: str, tensors: Sequence[Any]) -> list[Any]:
    if not len(tensors):
        raise ValueError(f"{name}() needs at least one tensor")
    return promoted(*(as_tensor(x) for x in tensors))


def block_diag(*tensors: Any) -> Tensor:
    """Return the matrix that has matrices along its diagonal, and zeros elsewhere.

    Args:
        *tensors: Matrices; vectors count as rows, numbers as single elements.

    Raises:
        RuntimeError: If one has more axes.

    Example:
        >>> block_diag(as_tensor([[1, 2]]), as_tensor([[3], [4]]))
        tensor([[1, 2, 0],
                [0, 0, 3],
                [0, 0, 4]])
    """
    blocks = [atleast_2d(x) for x in promoted(*(tensors or (np.zeros((1, 0), np.float32),)))]
    if any(x.ndim > 2 for x in blocks):
        raise RuntimeError(
            f"block_diag() takes matrices, got shapes {[as_tensor(x).shape for x in tensors]}"
        )
    width = sum(x.shape[1] for x in blocks)
    rows, before = [], 0
    for x in blocks:
        before += x.shape[1]
        widths = ((0, 0), (before - x.shape[1], width - before))
        rows.append(apply(ops.pad, x, pad_width=widths))
    return apply(ops.concatenate, *rows, axis=0)
