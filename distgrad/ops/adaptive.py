"""Where the largest elements of bins of unequal sizes lie."""

import numpy as np

from distgrad.ops.op import op


@op
def adaptive_max_indices(xp, x, /, rows, columns):
    """Where the largest element of each bin lies in its image (N, C, H, W): row * W + column.

    ``rows`` and ``columns`` are (first, end) of each bin. Of equal elements it is the first, of
    those that are nan the last.
    """
    best = place = None
    # Smaller bins meet their last row or column again, which changes nothing.
    for a in range(_longest(rows)):
        row = xp.asarray([min(first + a, end - 1) for first, end in rows])[:, None]
        for b in range(_longest(columns)):
            column = xp.asarray([min(first + b, end - 1) for first, end in columns])
            seen, here = x[:, :, row, column], row * x.shape[3] + column
            if best is None:
                best, place = seen, xp.zeros(seen.shape, np.int64) + here
                continue
            better = (seen > best) | (seen != seen)
            best, place = xp.where(better, seen, best), xp.where(better, here, place)
    return xp.zeros((*x.shape[:2], len(rows), len(columns)), np.int64) if best is None else place


def _longest(bins):
    return max((end - first for first, end in bins), default=0)
