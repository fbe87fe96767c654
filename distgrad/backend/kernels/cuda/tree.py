"""Sums along the tree of a reduction."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.cuda.launching import by_element, launch, served

__all__ = ["COLUMN"]

_MOST_PARTS = 8


def tree_mean(
    xp: Namespace,
    out: Array,
    copy: Array | None,
    *parts: Array,
    additions: Sequence[int],
    divisor: float,
) -> Any:
    # Sums of 16 bits are rounded after each addition by the reference.
    if len(parts) > _MOST_PARTS or out.itemsize < 4 or not served(out, copy, *parts):
        return NotImplemented
    due = sum(number << 8 * place for place, number in enumerate(additions))
    given = *parts, *[None] * (_MOST_PARTS - len(parts)), np.uint64(due), len(parts)
    shape = by_element(out)
    return launch(
        xp, "tree.tree_mean", out.dtype, shape, out, copy, *given, float(divisor), out.size
    )


COLUMN = {"tree_mean": tree_mean}
