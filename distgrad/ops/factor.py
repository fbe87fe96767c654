"""Factors of matrices: orthogonal times triangular, eigenvalues and eigenvectors, pseudo-inverses.

F. Walter et al., "On evaluating higher-order derivatives of the QR decomposition of tall matrices
with full column rank" (2010); M. Giles, "An extended collection of matrix derivative results for
forward and reverse mode automatic differentiation" (2008); G. Golub and V. Pereyra, "The
differentiation of pseudo-inverses and nonlinear least squares problems" (1973).
"""

from distgrad.backend.lacking import largest
from distgrad.ops.diagonal import put_diagonal, tril, triu
from distgrad.ops.index import getitem
from distgrad.ops.join import concatenate
from distgrad.ops.linalg import swapped
from distgrad.ops.op import op
from distgrad.ops.selection import where
from distgrad.ops.solve import solve


def _rows(xp, packed, begin, end):
    return getitem(xp, packed, index=(..., slice(begin, end), slice(None)))


def _columns(xp, x, begin, end):
    return getitem(xp, x, index=(..., slice(begin, end)))


@op
def qr_packed(xp, x):
    """Q and the transpose of R one above the other: (..., m, n) to (..., m + n, min(m, n))."""
    q, r = xp.linalg.qr(x)
    return xp.concatenate([q, swapped(xp, r)], axis=-2)


@qr_packed.rule("x")
def _(xp, g, x, y, x_shape):
    m, n = x_shape[-2:]
    q, r = _rows(xp, y, 0, m), swapped(xp, _rows(xp, y, m, None))
    gq, gr = _rows(xp, g, 0, m), swapped(xp, _rows(xp, g, m, None))
    if m >= n:
        return _of_tall(xp, q, r, gq, gr)
    # The first m columns make Q, and the others are Q times the rest of R.
    rest = _columns(xp, gr, m, None)
    gq = gq + xp.matmul(_columns(xp, x, m, None), swapped(xp, rest))
    first = _of_tall(xp, q, _columns(xp, r, 0, m), gq, _columns(xp, gr, 0, m))
    return concatenate(xp, first, xp.matmul(q, rest), axis=-1)


def _of_tall(xp, q, r, gq, gr):
    inner = xp.matmul(r, swapped(xp, gr)) - xp.matmul(swapped(xp, gq), q)
    inner = tril(xp, inner) + swapped(xp, tril(xp, inner, k=-1))
    return swapped(xp, solve(xp, r, swapped(xp, gq + xp.matmul(q, inner))))


@op
def eigh_packed(xp, x, /, UPLO=None):  # noqa: N803 (NumPy's name)
    """Eigenvectors as columns above their eigenvalues: (..., n, n) to (..., n + 1, n), rising.

    The matrix is taken as symmetric: as the mean with its transpose, or by "L" or "U" as one of its
    triangles says. The gradient is that of the mean.
    """
    values, vectors = xp.linalg.eigh(*_symmetric(xp, x, UPLO))
    return xp.concatenate([vectors, values[..., None, :]], axis=-2)


def _symmetric(xp, x, uplo):
    return (_mean(xp, x), "L") if uplo is None else (x, uplo)


def _mean(xp, x):
    return (x + swapped(xp, x)) / 2


@eigh_packed.rule("x")
def _(xp, g, y, x_shape):
    n = x_shape[-1]
    v, values = _rows(xp, y, 0, n), _rows(xp, y, n, None)
    gv, g_values = _rows(xp, g, 0, n), _rows(xp, g, n, None)
    gap = values - swapped(xp, values)
    gap = where(xp, gap == 0, 1, gap)  # of equal ones only the space counts: what it divides is 0
    inner = xp.matmul(swapped(xp, v), gv)
    inner = (tril(xp, inner, k=-1) + triu(xp, inner, k=1)) / gap
    inner = inner + _on_diagonal(xp, g_values, x_shape)
    return _mean(xp, xp.matmul(xp.matmul(v, inner), swapped(xp, v)))


def _on_diagonal(xp, row, shape):
    values = xp.reshape(row, shape[:-1])
    return put_diagonal(xp, values, shape=shape, axis1=-2, axis2=-1)


@op
def eigvalsh(xp, x, /, UPLO=None):  # noqa: N803 (NumPy's name)
    """The eigenvalues alone: (..., n, n) to (..., n), rising."""
    return xp.linalg.eigvalsh(*_symmetric(xp, x, UPLO))


@eigvalsh.rule("x")
def _(xp, g, x, x_shape, UPLO):  # noqa: N803 (NumPy's name)
    v = _rows(xp, eigh_packed(xp, x, UPLO=UPLO), 0, x_shape[-1])
    g = xp.reshape(g, (*g.shape[:-1], 1, g.shape[-1]))
    return xp.matmul(v * g, swapped(xp, v))


@op
def pinv(xp, x, /, rtol=0.0, atol=0.0, hermitian=False):
    """The pseudo-inverse, of singular values above ``max(atol, rtol * the largest)`` only.

    Of symmetric matrices only the lower triangle is read.
    """
    if hermitian:
        x = xp.tril(x) + swapped(xp, xp.tril(x, -1))
    u, s, v = xp.linalg.svd(x, full_matrices=False)
    top = largest(xp, s, -1, 0)
    bound = xp.maximum(xp.asarray(atol)[..., None], xp.asarray(rtol)[..., None] * top)
    inverted = xp.where(s > bound, 1 / xp.where(s > bound, s, 1), 0).astype(x.dtype)
    return xp.matmul(swapped(xp, v) * inverted[..., None, :], swapped(xp, u))


@pinv.rule("x")
def _(xp, g, x, y):
    """Where the rank stays the same."""
    yt, gt = swapped(xp, y), swapped(xp, g)
    ygt, gty = xp.matmul(y, gt), xp.matmul(gt, y)
    outside_left = gty - xp.matmul(x, xp.matmul(y, gty))
    outside_right = ygt - xp.matmul(xp.matmul(ygt, y), x)
    return (
        xp.matmul(outside_left, yt) + xp.matmul(yt, outside_right) - xp.matmul(xp.matmul(yt, g), yt)
    )
