"""The exponential of square matrices.

N. Higham, "The scaling and squaring method for the matrix exponential revisited" (2005).
"""

import math

from distgrad.backend import to_host
from distgrad.ops.index import getitem
from distgrad.ops.join import concatenate
from distgrad.ops.linalg import swapped
from distgrad.ops.op import op
from distgrad.ops.rounding import zeros_like

_DEGREE = 13
_RADIUS = 5.371920351148152
"""Up to this norm the quotient of polynomials is exact in float64."""
_FACTORS = tuple(
    math.comb(_DEGREE, k) * math.factorial(2 * _DEGREE - k) / math.factorial(2 * _DEGREE)
    for k in range(_DEGREE + 1)
)
"""Those of Pade's quotient."""


@op
def matrix_exp(xp, x):
    """``I + x + x @ x / 2 + ...``."""
    if not x.size:
        return x.copy()
    dtype, x = x.dtype, x.astype(xp.float64)  # a quotient and squares cost float32 its digits
    norm = float(to_host(xp.max(xp.sum(xp.absolute(x), axis=-2))))
    halvings = math.ceil(math.log2(norm / _RADIUS)) if _RADIUS < norm < math.inf else 0
    scaled = x / 2**halvings
    term = xp.broadcast_to(xp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    above = below = term
    for k in range(1, _DEGREE + 1):
        term = xp.matmul(term, scaled)
        above = above + _FACTORS[k] * term
        below = below + (-1) ** k * _FACTORS[k] * term
    y = xp.linalg.solve(below, above)
    for _ in range(halvings):
        y = xp.matmul(y, y)
    return y.astype(dtype)


@matrix_exp.rule("x")
def _(xp, g, x, x_shape):
    """The upper right corner of the exponential of a matrix twice as large."""
    n = x_shape[-1]
    transposed = swapped(xp, x)
    upper = concatenate(xp, transposed, g, axis=-1)
    lower = concatenate(xp, zeros_like(xp, g), transposed, axis=-1)
    y = matrix_exp(xp, concatenate(xp, upper, lower, axis=-2))
    return getitem(xp, y, index=(..., slice(None, n), slice(n, None)))
