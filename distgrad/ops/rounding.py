"""Signs, whole parts and remainders: steps, whose slope is taken as 0 at the steps too."""

import math

from distgrad.ops.op import op
from distgrad.ops.selection import where


@op
def zeros_like(xp, x):
    return xp.zeros_like(x)


@op
def sign(xp, x):
    """-1, 0 or 1; of nan it is 0, as in PyTorch."""
    return xp.subtract(x > 0, x < 0, dtype=x.dtype)


@sign.rule("x")
def _(xp, g):
    return zeros_like(xp, g)


@op
def floor(xp, x):
    return xp.floor(x)


@floor.rule("x")
def _(xp, g):
    return zeros_like(xp, g)


@op
def ceil(xp, x):
    return xp.ceil(x)


@ceil.rule("x")
def _(xp, g):
    return zeros_like(xp, g)


@op
def trunc(xp, x):
    return xp.trunc(x)


@trunc.rule("x")
def _(xp, g):
    return zeros_like(xp, g)


@op
def round(xp, x, /, decimals=0):
    """To the nearest number of so many decimals; halves to the even one."""
    return xp.round(x, decimals)


@round.rule("x")
def _(xp, g):
    return zeros_like(xp, g)


@op
def frac(xp, x):
    """What `trunc` takes off."""
    return x - xp.trunc(x)


@frac.rule("x")
def _(xp, g):
    return g


@op
def floor_divide(xp, a, b):
    return xp.floor_divide(a, b)


@floor_divide.rule("a")
def _(xp, g):
    return zeros_like(xp, g)


@floor_divide.rule("b")
def _(xp, g):
    return zeros_like(xp, g)


@op
def trunc_divide(xp, a, b):
    """The quotient rounded towards 0."""
    if xp.result_type(a, b).kind == "f":
        return xp.trunc(a / b)
    return (a - xp.fmod(a, b)) // b


@trunc_divide.rule("a")
def _(xp, g):
    return zeros_like(xp, g)


@trunc_divide.rule("b")
def _(xp, g):
    return zeros_like(xp, g)


@op
def fmod(xp, a, b):
    """The remainder of the quotient rounded towards 0: it has the sign of ``a``."""
    return xp.fmod(a, b)


@fmod.rule("a")
def _(xp, g):
    return g


@fmod.rule("b")
def _(xp, g, a, b):
    return -g * trunc_divide(xp, a, b)


@op
def remainder(xp, a, b):
    """The remainder of the quotient rounded down: it has the sign of ``b``."""
    return xp.remainder(a, b)


@remainder.rule("a")
def _(xp, g):
    return g


@remainder.rule("b")
def _(xp, g, a, b):
    return -g * floor_divide(xp, a, b)


@op
def copysign(xp, a, b):
    return xp.copysign(a, b)


@copysign.rule("a")
def _(xp, g, a, y):
    return g * where(xp, a == 0, 0, y / a)


@copysign.rule("b")
def _(xp, g):
    return zeros_like(xp, g)


@op
def nan_to_num(xp, x, /, nan=0.0, posinf=None, neginf=None):
    return xp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@nan_to_num.rule("x")
def _(xp, g, x):
    return g * xp.isfinite(x)


@op
def nextafter(xp, a, b):
    """The next number after ``a`` on the way to ``b``."""
    types = [x.dtype for x in (a, b) if hasattr(x, "dtype")]
    half = next((dtype for dtype in types if dtype.kind == "V"), None)
    return xp.nextafter(a, b) if half is None else _next_half(xp, a, b, half)


def _next_half(xp, a, b, half):
    """`nextafter` of bfloat16, by the patterns of bits: they ascend with the absolute value."""
    a, b = (xp.asarray(x).astype(half) for x in (a, b))
    x, y = a.astype(xp.float32), b.astype(xp.float32)
    bits, end = a.view(xp.int16), b.view(xp.int16)
    smallest = xp.where(y < 0, -0x7FFF, 1)
    found = xp.where(x == 0, smallest, bits + xp.where((x < y) == (x > 0), 1, -1))
    found = xp.where((x == y) | (y != y), end, found)
    return xp.where(x != x, bits, found).astype(xp.int16).view(half)


@op
def heaviside(xp, x, values):
    """0 to the left of 0, 1 to the right, and ``values`` at 0."""
    return xp.where(x == 0, values, x > 0)


@op
def angle(xp, x):
    """0, or pi where ``x`` is negative."""
    return xp.where(x < 0, xp.asarray(math.pi, x.dtype), xp.where(x != x, x, 0))


@angle.rule("x")
def _(xp, g):
    return zeros_like(xp, g)
