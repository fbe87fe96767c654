"""Determinants, whose first two gradients are exact for singular matrices too.

A determinant is a polynomial of the elements, and so are its derivatives: from the singular values
they come without a division. The third order divides, and takes regular matrices only.
"""

from distgrad.ops.linalg import swapped
from distgrad.ops.op import op
from distgrad.ops.rounding import zeros_like
from distgrad.ops.solve import inv


def _as_matrices(xp, values):
    """One number for each matrix, as something that multiplies it."""
    return xp.reshape(values, (*values.shape, 1, 1))


def _dots(xp, a, b):
    """The sums of products of two matrices' elements."""
    return _as_matrices(xp, xp.sum(a * b, axis=(-2, -1)))


@op
def det(xp, x):
    return xp.linalg.det(x)


@det.rule("x")
def _(xp, g, x):
    return _as_matrices(xp, g) * cofactor(xp, x)


def _products_of_others(xp, s):
    """For each element the product of all others along the last axis."""
    ones = xp.ones((*s.shape[:-1], 1), s.dtype)
    before = xp.cumprod(xp.concatenate([ones, s[..., :-1]], axis=-1), axis=-1)
    behind = xp.cumprod(xp.concatenate([ones, s[..., :0:-1]], axis=-1), axis=-1)
    return before * behind[..., ::-1]


def _factors(xp, x):
    """U, S, V' and the sign of the determinant."""
    u, s, v = xp.linalg.svd(x)
    return u, s, v, xp.linalg.det(u) * xp.linalg.det(v)


@op
def cofactor(xp, x):
    """The gradient of the determinant: the signed determinants without a row and a column."""
    if not x.size:
        return x.copy()
    u, s, v, sign = _factors(xp, x)
    s = _products_of_others(xp, s) * sign[..., None]
    return xp.matmul(u * s[..., None, :], v)


@cofactor.rule("x")
def _(xp, g, x):
    return cofactor_slope(xp, x, g)


@op
def cofactor_slope(xp, x, h):
    """The gradient of ``(cofactor(x) * h).sum()``; the same of two ``h`` is symmetric in them."""
    if not h.size:
        return h.copy()
    u, s, v, sign = _factors(xp, x)
    h = xp.matmul(xp.matmul(swapped(xp, u), h), swapped(xp, v))
    n = s.shape[-1]
    others = xp.zeros(h.shape, h.dtype)  # of i and j: the product of all but these two
    for i in range(n):
        rest = s.copy()
        rest[..., i] = 1
        others[..., i, :] = _products_of_others(xp, rest)
    places = xp.arange(n)
    others[..., places, places] = 0
    slope = -swapped(xp, h * others)
    slope[..., places, places] = xp.einsum("...ii,...ij->...j", h, others)
    return xp.matmul(xp.matmul(u, slope * _as_matrices(xp, sign)), v)


@cofactor_slope.rule("h")
def _(xp, g, x):
    return cofactor_slope(xp, x, g)


@cofactor_slope.rule("x")
def _(xp, g, x, h):
    """Of ``det * ((h.b)(g.b) - g.(b h' b))`` with the transposed inverse b."""
    b = swapped(xp, inv(xp, x))
    bhb = xp.matmul(xp.matmul(b, swapped(xp, h)), b)
    bgb = xp.matmul(xp.matmul(b, swapped(xp, g)), b)
    of_h, of_g = _dots(xp, h, b), _dots(xp, g, b)
    both = xp.matmul(xp.matmul(bhb, swapped(xp, g)), b) + xp.matmul(
        xp.matmul(bgb, swapped(xp, h)), b
    )
    inner = (of_h * of_g - _dots(xp, g, bhb)) * b - of_h * bgb - of_g * bhb + both
    return _as_matrices(xp, det(xp, x)) * inner


@op
def sign_of_det(xp, x):
    """-1, 0 or 1 for each matrix."""
    return xp.linalg.slogdet(x)[0]


@sign_of_det.rule("x")
def _(xp, g, x):
    return zeros_like(xp, x)


@op
def log_of_det(xp, x):
    """The logarithm of the determinant's absolute value, without overflow."""
    return xp.linalg.slogdet(x)[1]


@log_of_det.rule("x")
def _(xp, g, x):
    return _as_matrices(xp, g) * swapped(xp, inv(xp, x))
