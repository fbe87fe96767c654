"""Partial sums for norms."""

from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.cuda.launching import by_piece, launch, served

__all__ = ["COLUMN"]


def block_power_sums(
    xp: Namespace, flat: Array, values: Array, first: int, norm_type: float
) -> Any:
    if not served(flat):
        return NotImplemented
    flat, length = xp.ascontiguousarray(flat), values.size
    pieces = 1 + max(0, -(-(flat.size - first) // length))
    sums = xp.empty(pieces, "float64")
    given = sums, flat, np.float64(norm_type), first, length, flat.size
    launch(xp, "sums.block_power_sums", flat.dtype, by_piece(pieces), *given)
    return sums


COLUMN = {"block_power_sums": block_power_sums}
