"""The error function and its complement, from array operations alone."""

import math

from distgrad.ops.op import op

# For float64, erf(x) = x P(x ** 2) / Q(x ** 2) up to 0.46875, and 1 - exp(-x ** 2) P(x) / Q(x)
# above: W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23
# (1969), 631-637, with the coefficients of his program CALERF. His third formula, from 4 on, is for
# the complement of erf; for erf itself the second one serves there too.
_BRANCH = 0.46875
_NEAR_P = (
    3.20937758913846947e03,
    3.77485237685302021e02,
    1.13864154151050156e02,
    3.16112374387056560e00,
    1.85777706184603153e-1,
)
_NEAR_Q = (
    2.84423683343917062e03,
    1.28261652607737228e03,
    2.44024637934444173e02,
    2.36012909523441209e01,
    1.0,
)
_FAR_P = (
    1.23033935479799725e03,
    2.05107837782607147e03,
    1.71204761263407058e03,
    8.81952221241769090e02,
    2.98635138197400131e02,
    6.61191906371416295e01,
    8.88314979438837594e00,
    5.64188496988670089e-1,
    2.15311535474403846e-8,
)
_FAR_Q = (
    1.23033935480374942e03,
    3.43936767414372164e03,
    4.36261909014324716e03,
    3.29079923573345963e03,
    1.62138957456669019e03,
    5.37181101862009858e02,
    1.17693950891312499e02,
    1.57449261107098347e01,
    1.0,
)
# From 4 on, erfc(x) = exp(-x ** 2) / x (1 / sqrt(pi) - z P(z) / Q(z)), where z = 1 / x ** 2.
_TAIL = 4.0
_TAIL_P = (
    6.58749161529837803157e-04,
    1.60837851487422766278e-02,
    1.25781726111229246204e-01,
    3.60344899949804439429e-01,
    3.05326634961232344035e-01,
    1.63153871373020978498e-02,
)
_TAIL_Q = (
    2.33520497626869185443e-03,
    6.05183413124413191178e-02,
    5.27905102951428412248e-01,
    1.87295284992346725209e00,
    2.56852019228982242072e00,
    1.0,
)

# For float32, tanh(x R(x ** 2)) has no branches: R is the best polynomial of degree 6 for
# atanh(erf(x)) / x up to 3.95, weighted so that the relative error of erf is least, 1e-7.
_SINGLE_R = (
    1.1283792746079908,
    0.10276905389599604,
    -1.918268356612753e-4,
    -6.197879338779026e-4,
    8.763853858371299e-5,
    -5.668686786270915e-6,
    1.4186541403380326e-7,
)


def _polynomial(coefficients, x):
    """The lowest power's coefficient comes first."""
    y = x * coefficients[-1]
    y += coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        y *= x
        y += coefficient
    return y


def _single(xp, x):
    x = xp.minimum(xp.maximum(x, -4.2), 4.2)  # it is 1 there
    y = _polynomial(_SINGLE_R, x * x)
    y *= x
    return xp.tanh(y)


def _double(xp, x):
    size = xp.minimum(xp.absolute(x), 6)  # it is 1 there
    square = size * size
    tail = xp.exp(-square) * _polynomial(_FAR_P, size) / _polynomial(_FAR_Q, size)
    y = xp.copysign(1 - tail, x)
    near = size <= _BRANCH
    x, square = x[near], square[near]
    y[near] = x * _polynomial(_NEAR_P, square) / _polynomial(_NEAR_Q, square)
    return y


@op
def erf(xp, x):
    """``2 / sqrt(pi)`` times the integral of ``exp(-t ** 2)`` from 0 to ``x``.

    To about 3 units in the last place; NumPy has no such function.
    """
    function = _double if x.dtype.itemsize > 4 else _single
    return function(xp, xp.atleast_1d(x)).reshape(x.shape)


@erf.rule("x")
def _(xp, g, x):
    return g * (xp.exp(-x * x) * (2 / math.sqrt(math.pi)))


def _bell(xp, x):
    """``exp(-x ** 2)`` to rounding: x in two parts, of which the larger one has an exact square."""
    high = xp.trunc(x * 16) / 16
    return xp.exp(-high * high) * xp.exp((high - x) * (high + x))


def _complement(xp, x):
    """For float64."""
    size = xp.minimum(xp.absolute(x), 28)  # it is 0 or 2 there
    y = _bell(xp, size) * (_polynomial(_FAR_P, size) / _polynomial(_FAR_Q, size))
    far = size >= _TAIL
    z = 1 / (size[far] * size[far])
    series = 1 / math.sqrt(math.pi) - z * _polynomial(_TAIL_P, z) / _polynomial(_TAIL_Q, z)
    y[far] = _bell(xp, size[far]) / size[far] * series
    y = xp.where(x < 0, 2 - y, y)
    near = size <= _BRANCH
    x, square = x[near], x[near] * x[near]
    y[near] = 1 - x * _polynomial(_NEAR_P, square) / _polynomial(_NEAR_Q, square)
    return y


@op
def erfc(xp, x):
    """``1 - erf(x)``, to about 3 units in the last place however small it is."""
    # The float32 of a double: what is left of 1 far to the right has no shorter formula.
    y = _complement(xp, xp.atleast_1d(x).astype(xp.float64))
    return y.reshape(x.shape).astype(x.dtype, copy=False)


@erfc.rule("x")
def _(xp, g, x):
    return g * (xp.exp(-x * x) * (-2 / math.sqrt(math.pi)))
