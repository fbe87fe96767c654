"""Products and sums of matrices inside ops: on a GPU by what can be recorded in a graph.

An op that multiplies arrays calls `distgrad.ops.linalg.matmul`, or one of these: the array
library's own products call cuBLAS in a way that it refuses while a graph is recorded.
"""

from distgrad.backend.kernels import kernel

__all__ = ["column_sum", "product_into"]


@kernel
def product_into(xp, a, b, out):
    """Write the product of two matrices to ``out``, and return that."""
    return xp.matmul(a, b, out=out)


@kernel
def column_sum(xp, rows):
    """Sums of columns: products with ones are several times faster than sums.

    In blocks, so that rounding grows with their number and not with that of the rows.
    """
    whole = len(rows) // _BLOCK * _BLOCK
    blocks = rows[:whole].reshape(whole // _BLOCK, _BLOCK, rows.shape[1])
    sums = xp.matmul(xp.ones(_BLOCK, rows.dtype), blocks).sum(axis=0)
    return sums + xp.matmul(xp.ones(len(rows) - whole, rows.dtype), rows[whole:])


_BLOCK = 256
