"""Inverses, linear equations and the Cholesky factor."""

from distgrad.ops.diagonal import tril
from distgrad.ops.linalg import swapped
from distgrad.ops.op import op


@op
def inv(xp, x):
    return xp.linalg.inv(x)


@inv.rule("x")
def _(xp, g, y):
    transposed = swapped(xp, y)
    return -xp.matmul(xp.matmul(transposed, g), transposed)


@op
def solve(xp, a, b):
    """The matrices ``y`` with ``a @ y = b``."""
    return xp.linalg.solve(a, b)


@solve.rule("a")
def _(xp, g, a, y):
    return -xp.matmul(solve(xp, swapped(xp, a), g), swapped(xp, y))


@solve.rule("b")
def _(xp, g, a):
    return solve(xp, swapped(xp, a), g)


@op
def cholesky(xp, x):
    """The lower triangular ``y`` with ``y @ y.T`` equal to ``x``, taken as symmetric.

    I. Murray, "Differentiation of the Cholesky decomposition" (2016), has the gradient.
    """
    return xp.linalg.cholesky((x + swapped(xp, x)) / 2)


@cholesky.rule("x")
def _(xp, g, y):
    transposed = swapped(xp, y)
    inner = xp.matmul(transposed, g)
    inner = (tril(xp, inner) + tril(xp, inner, k=-1)) / 2
    half = solve(xp, transposed, swapped(xp, solve(xp, transposed, inner)))
    return (half + swapped(xp, half)) / 2
