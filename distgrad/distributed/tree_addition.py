"""The sum of parts along the tree, divided: the arithmetic of a reduction, on one slice."""

from collections.abc import Sequence

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels import kernel

__all__ = ["tree_mean"]


@kernel
def tree_mean(
    xp: Namespace,
    out: Array,
    copy: Array | None,
    *parts: Array,
    additions: Sequence[int],
    divisor: float,
) -> None:
    """Write the sum of parts along the tree, divided by a number, to ``out``.

    Args:
        xp: The array module.
        out: Overwritten; it may be one of the parts.
        copy: Overwritten with the same, if it is there.
        *parts: Vectors as long as ``out``, in the order of the tree; left as they are or used as
            scratch, as what computes likes.
        additions: How many sums become due with each part; see `Division.across`.
        divisor: What the sum is divided by.

    Example:
        >>> import numpy as np
        >>> out = np.empty(2)
        >>> parts = np.ones(2), np.full(2, 2.0), np.full(2, 6.0)
        >>> tree_mean(np, out, None, *parts, additions=(0, 1, 1), divisor=3.0)
        >>> out.tolist()
        [3.0, 3.0]
    """
    sums: list[Array] = []
    for part, due in zip(parts, additions, strict=True):
        sums.append(part)
        for _ in range(due):
            right = sums.pop()
            sums[-1] += right
    (total,) = sums
    xp.divide(total, divisor, out=out)
    if copy is not None:
        copy[...] = out
