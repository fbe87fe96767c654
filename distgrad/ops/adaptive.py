"""Where the largest elements of bins of unequal sizes lie."""

import numpy as np

from distgrad.ops.op import op


@op
def adaptive_max_indices(xp, x, /, rows, columns):
    """Where the largest element of each bin lies in its image (N, C, H, W): row * W + column.

    ``rows`` and ``columns`` are (first, end) of each bin. Of equal elements it is the first, of
    those that are nan the last.
    """
    (top, bottom), (left, right) = (np.array(bins).reshape(-1, 2).T for bins in (rows, columns))
    best = place = None
    # Smaller bins meet their last row or column again, which changes nothing.
    for a in range(int((bottom - top).max(initial=0))):
        row = xp.asarray(np.minimum(top + a, bottom - 1))[:, None]
        for b in range(int((right - left).max(initial=0))):
            column = xp.asarray(np.minimum(left + b, right - 1))
            seen, here = x[:, :, row, column], row * x.shape[3] + column
            if best is None:
                best, place = seen, xp.zeros(seen.shape, np.int64) + here
                continue
            better = (seen > best) | (seen != seen)
            best, place = xp.where(better, seen, best), xp.where(better, here, place)
    return xp.zeros((*x.shape[:2], len(top), len(left)), np.int64) if best is None else place
