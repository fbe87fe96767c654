"""The singular value decomposition ``x = U diag(S) V'`` of matrices, with k = min(m, n) values.

J. Townsend, "Differentiating the singular value decomposition" (2016).
"""

from distgrad.ops.index import getitem
from distgrad.ops.op import op
from distgrad.ops.selection import where


def _swap(xp, x):
    return xp.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _parts(xp, packed, m):
    """U (..., m, k), S (..., 1, k) and V (..., n, k), which lie one above the other."""
    rows = slice(None, m), slice(m, m + 1), slice(m + 1, None)
    return [getitem(xp, packed, index=(..., part, slice(None))) for part in rows]


@op
def svd_packed(xp, x):
    """U, S and V one above the other: (..., m, n) to (..., m + 1 + n, k), S falling."""
    u, s, v = xp.linalg.svd(x, full_matrices=False)
    return xp.concatenate([u, s[..., None, :], _swap(xp, v)], axis=-2)


@svd_packed.rule("x")
def _(xp, g, y, x_shape):
    m = x_shape[-2]
    (u, s, v), (gu, gs, gv) = _parts(xp, y, m), _parts(xp, g, m)
    column = _swap(xp, s)
    gap = s * s - column * column
    gap = where(xp, gap == 0, 1, gap)  # on the diagonal what it divides is 0
    ugu, vgv = xp.matmul(_swap(xp, u), gu), xp.matmul(_swap(xp, v), gv)
    core = (ugu - _swap(xp, ugu)) / gap * s + column * ((vgv - _swap(xp, vgv)) / gap)
    gradient = xp.matmul(xp.matmul(u, core) + u * gs, _swap(xp, v))
    if m > s.shape[-1]:
        gradient = gradient + xp.matmul((gu - xp.matmul(u, ugu)) / s, _swap(xp, v))
    if x_shape[-1] > s.shape[-1]:
        gradient = gradient + xp.matmul(u, _swap(xp, (gv - xp.matmul(v, vgv)) / s))
    return gradient


@op
def svdvals(xp, x):
    """The singular values alone: (..., m, n) to (..., k), falling."""
    return xp.linalg.svd(x, compute_uv=False)


@svdvals.rule("x")
def _(xp, g, x, x_shape):
    u, _, v = _parts(xp, svd_packed(xp, x), x_shape[-2])
    g = xp.reshape(g, (*g.shape[:-1], 1, g.shape[-1]))
    return xp.matmul(u * g, _swap(xp, v))
