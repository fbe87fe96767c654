"""Products of vectors and matrices."""

import math
from types import ModuleType

from distgrad.backend.kernels import kernel
from distgrad.ops.op import op
from distgrad.ops.products import column_sum


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


@op(kernel=True)
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
    gradient = matmul(xp, g, swapped(xp, b))
    if len(a_shape) > 1:
        return gradient
    return xp.reshape(gradient, (*gradient.shape[:-2], gradient.shape[-1]))


@matmul.rule("b")
def _(xp, g, a, a_shape, b_shape):
    g = _as_matrix_gradient(xp, g, a_shape, b_shape)
    a = xp.reshape(a, (1, *a_shape)) if len(a_shape) == 1 else a
    gradient = matmul(xp, swapped(xp, a), g)
    if len(b_shape) > 1:
        return gradient
    return xp.reshape(gradient, gradient.shape[:-1])


def _rows(xp, x):
    """All leading axes as one: a single matrix product instead of a batch of them."""
    return x if x.ndim == 2 else xp.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


@kernel
def product(xp, a, b):
    """Two matrices; the arrays' own method takes half of the time of `matmul` for small ones."""
    return a.dot(b)


def _product(xp, a, b):
    return product(xp, a, b) if isinstance(xp, ModuleType) else xp.matmul(a, b)


@op(kernel=True)
def linear(xp, x, weight, bias, /):
    """``x @ weight.T + bias``; ``bias`` may be None."""
    rows = _rows(xp, x)
    y = (_few_by_weight if _are_few(rows, weight) else _by_weight)(xp, rows, weight, bias)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], weight.shape[0])


def _by_weight(xp, rows, weight, bias):
    y = rows.dot(weight.T)
    if bias is not None:
        y += bias
    return y


def _few_by_weight(xp, rows, weight, bias):
    """The same with the larger operand in front.

    A product arranges blocks of its second operand anew, which takes as long as the product itself
    where only a few rows make use of them. With OpenBLAS on AVX-512 this takes half to four fifths
    of the time, elsewhere as long.
    """
    product = weight.dot(rows.T).T
    y = xp.empty(product.shape, product.dtype)
    if bias is None:
        y[...] = product
        return y
    return xp.add(product, bias, out=y)


def _are_few(rows, weight):
    outputs, inputs = weight.shape
    return 8 * len(rows) <= inputs and 2 * len(rows) <= outputs


@linear.rule("x")
def _(xp, g, weight, x_shape):
    gradient = _product(xp, _rows(xp, g), weight)
    return gradient if len(x_shape) == 2 else xp.reshape(gradient, x_shape)


@linear.rule("weight")
def _(xp, g, x):
    return _product(xp, _rows(xp, g).T, _rows(xp, x))


@linear.rule("bias")
def _(xp, g):
    rows = _rows(xp, g)
    if isinstance(xp, ModuleType) and column_sum.stands_in(xp):
        return column_sum(xp, rows)
    return rows.sum(0)
