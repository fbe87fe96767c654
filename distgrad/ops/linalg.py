"""Products of vectors and matrices."""

import math

from distgrad.ops.op import op


def swapped(xp, x):
    """Transpose the last two axes."""
    axes = list(range(x.ndim))
    axes[-2:] = axes[:-3:-1]
    return xp.transpose(x, tuple(axes))


@op
def dot(xp, a, b):
    """The inner product of two vectors."""
    return xp.dot(a, b)


@dot.rule("a")
def _(xp, g, b):
    return g * b


@dot.rule("b")
def _(xp, g, a):
    return g * a


@op
def matmul(xp, a, b):
    return xp.matmul(a, b)


def _as_matrix_gradient(xp, g, a_shape, b_shape):
    """Give the gradient back the axes that the product drops: a vector is a row or a column."""
    row = () if len(a_shape) > 1 else (1,)
    column = () if len(b_shape) > 1 else (1,)
    split = g.ndim - (len(b_shape) > 1)
    return xp.reshape(g, (*g.shape[:split], *row, *g.shape[split:], *column))


@matmul.rule("a")
def _(xp, g, b, a_shape, b_shape):
    g = _as_matrix_gradient(xp, g, a_shape, b_shape)
    b = xp.reshape(b, (*b_shape, 1)) if len(b_shape) == 1 else b
    gradient = xp.matmul(g, swapped(xp, b))
    if len(a_shape) > 1:
        return gradient
    return xp.reshape(gradient, (*gradient.shape[:-2], gradient.shape[-1]))


@matmul.rule("b")
def _(xp, g, a, a_shape, b_shape):
    g = _as_matrix_gradient(xp, g, a_shape, b_shape)
    a = xp.reshape(a, (1, *a_shape)) if len(a_shape) == 1 else a
    gradient = xp.matmul(swapped(xp, a), g)
    if len(b_shape) > 1:
        return gradient
    return xp.reshape(gradient, gradient.shape[:-1])


def _rows(xp, x):
    """All leading axes as one: a single matrix product instead of a batch of them."""
    return xp.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


@op
def linear(xp, x, weight, bias, /):
    """``x @ weight.T + bias``; ``bias`` may be None."""
    y = xp.matmul(_rows(xp, x), weight.T)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], weight.shape[0])


@linear.rule("x")
def _(xp, g, weight, x_shape):
    return xp.reshape(xp.matmul(_rows(xp, g), weight), x_shape)


@linear.rule("weight")
def _(xp, g, x):
    return xp.matmul(xp.transpose(_rows(xp, g)), _rows(xp, x))


@linear.rule("bias")
def _(xp, g):
    return g
