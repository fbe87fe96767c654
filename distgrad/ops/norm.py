"""Normalisation by mean and variance: of each sample (layer norm) or of each channel (batch norm).

Both are one family of ops. The normalised axes are the last ones, or all but axis 1. The arrays are
brought into rows, in which a sample is a row or a channel is a column: the bits of a result do not
depend on the strides of an input. The weight has an element for each column.

Write z for the normalised input, n for the number of elements that share a mean, and
J = (I - 1/n - z z'/n) / sqrt(var + eps) for the derivative of z by the input, which is symmetric:
from that follow all rules here, of every order.
"""

import math

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels import kernel
from distgrad.ops.conv import channel_sum
from distgrad.ops.linalg import matmul
from distgrad.ops.op import op
from distgrad.ops.products import column_sum
from distgrad.ops.reduce import var

__all__ = ["moments", "normalize", "normalize_input", "normalize_weight", "rms_normalize"]


@kernel
def moments(xp: Namespace, x: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Mean and variance (biased) over ``axes``, each as an array that broadcasts with the rows.

    In a second pass the distances from the mean give the squares, and what the mean lacks because
    its sum was rounded: a large mean costs no digits.
    """
    rows, axis = _rows(xp, x, axes), _axis(x.ndim, axes)
    mean = _mean(xp, rows, axis)
    distance = _each(xp, xp.subtract, rows, mean)
    mean += _mean(xp, distance, axis)
    distance *= distance
    return mean, _mean(xp, distance, axis)


@op(kernel=True)
def normalize(xp, x, weight, bias, /, axes, eps, statistics=None):
    """``(x - mean) / sqrt(var + eps) * weight + bias``; weight and bias may be None.

    ``statistics`` are the `moments` of x, where the caller has them already.
    """
    mean, variance = statistics or moments(xp, x, axes)
    y = _each(xp, xp.subtract, _rows(xp, x, axes), mean)
    scale = 1 / xp.sqrt(variance + eps)
    if weight is not None and not _axis(x.ndim, axes):
        scale *= weight
    _each(xp, xp.multiply, y, scale, out=y)
    if weight is not None and _axis(x.ndim, axes):
        _each(xp, xp.multiply, y, weight.reshape(1, -1), out=y)
    if bias is not None:
        _each(xp, xp.add, y, bias.reshape(1, -1), out=y)
    return _unrows(xp, y, x.shape, axes)


@normalize.rule("x")
def _(xp, g, x, weight, axes, eps, statistics):
    return normalize_input(xp, g, x, weight, axes=axes, eps=eps, statistics=statistics)


@normalize.rule("weight")
def _(xp, g, x, axes, eps, statistics):
    return normalize_weight(xp, g, x, axes=axes, eps=eps, statistics=statistics)


@normalize.rule("bias")
def _(xp, g, axes):
    return _summed_like_weight(xp, g, axes)


@op(kernel=True)
def normalize_input(xp, above, x, weight, /, axes, eps, statistics=None):
    """The gradient of `normalize` by its input, ``J (weight * above)``."""
    mean, variance = statistics or moments(xp, x, axes)
    axis = _axis(x.ndim, axes)
    h = _rows(xp, above, axes)
    scale = outer = 1 / xp.sqrt(variance + eps)
    if weight is not None and axis:
        h = _each(xp, xp.multiply, h, weight.reshape(1, -1))
    elif weight is not None:
        outer = scale * weight  # one number for all that is summed: once, at the end
    distance = _each(xp, xp.subtract, _rows(xp, x, axes), mean)
    result = h * distance
    slope = _mean(xp, result, axis) * scale * scale
    _each(xp, xp.multiply, distance, slope, out=distance)
    xp.subtract(h, distance, out=result)
    _each(xp, xp.subtract, result, _mean(xp, h, axis), out=result)
    _each(xp, xp.multiply, result, outer, out=result)
    return _unrows(xp, result, x.shape, axes)


@normalize_input.rule("above")
def _(xp, g, x, weight, axes, eps, statistics):
    gradient = normalize_input(xp, g, x, None, axes=axes, eps=eps, statistics=statistics)
    return gradient if weight is None else gradient * _beside(xp, weight, gradient.ndim, axes)


@normalize_input.rule("weight")
def _(xp, g, above, x, axes, eps, statistics):
    gradient = normalize_input(xp, g, x, None, axes=axes, eps=eps, statistics=statistics)
    return _summed_like_weight(xp, above * gradient, axes)


@normalize_input.rule("x")
def _(xp, g, above, x, weight, axes, eps, statistics):
    """The gradient of g' J h by x, where h = weight * above."""
    given = {"axes": axes, "eps": eps, "statistics": statistics}
    h = above if weight is None else above * _beside(xp, weight, x.ndim, axes)
    count = math.prod(x.shape[axis] for axis in axes) or 1

    def total(values):
        return xp.sum(values, axis=axes, keepdims=True)

    z = normalize(xp, x, None, None, **given)
    square = 1 / (var(xp, x, axis=axes, correction=0, keepdims=True) + eps)
    zg, zh = total(z * g), total(z * h)
    gh = total((g - total(g) / count) * h)
    of_scale = square / -count * z * (gh - zg * zh / count)
    of_direction = normalize_input(xp, g * zh + h * zg, x, None, **given)
    return of_scale - of_direction * (xp.sqrt(square) / count)


@op(kernel=True)
def normalize_weight(xp, above, x, /, axes, eps, statistics=None):
    """The gradient of `normalize` by its weight: the sum of ``above * z`` for each column."""
    mean, variance = statistics or moments(xp, x, axes)
    product = _each(xp, xp.subtract, _rows(xp, x, axes), mean)
    product *= _rows(xp, above, axes)
    scale = 1 / xp.sqrt(variance + eps)
    if _axis(x.ndim, axes):
        _each(xp, xp.multiply, product, scale, out=product)
        return column_sum(xp, product).reshape([x.shape[axis] for axis in axes])
    return column_sum(xp, product) * scale[0]


@normalize_weight.rule("above")
def _(xp, g, x, axes, eps, statistics):
    return normalize(xp, x, g, None, axes=axes, eps=eps, statistics=statistics)


@normalize_weight.rule("x")
def _(xp, g, above, x, axes, eps, statistics):
    return normalize_input(xp, above, x, g, axes=axes, eps=eps, statistics=statistics)


@op(kernel=True)
def rms_normalize(xp, x, /, axes, eps):
    """``x / sqrt(mean(x ** 2) + eps)``: the mean is not subtracted.

    B. Zhang, R. Sennrich, "Root mean square layer normalization", arXiv:1910.07467 (2019).
    """
    return x * _inverse_rms(xp, x, axes, eps)


@rms_normalize.rule("x")
def _(xp, g, x, axes, eps):
    return rms_normalize_input(xp, g, x, axes=axes, eps=eps)


@op(kernel=True)
def rms_normalize_input(xp, above, x, /, axes, eps):
    """The gradient of `rms_normalize`; its J has no 1/n."""
    scale = _inverse_rms(xp, x, axes, eps)
    z = x * scale
    return (above - z * xp.mean(above * z, axis=axes, keepdims=True)) * scale


@rms_normalize_input.rule("above")
def _(xp, g, x, axes, eps):
    return rms_normalize_input(xp, g, x, axes=axes, eps=eps)


@rms_normalize_input.rule("x")
def _(xp, g, above, x, axes, eps):
    """The gradient of g' J h by x, where h = above."""
    given = {"axes": axes, "eps": eps}
    count = math.prod(x.shape[axis] for axis in axes) or 1

    def total(values):
        return xp.sum(values, axis=axes, keepdims=True)

    scale, z = _inverse_rms(xp, x, axes, eps), rms_normalize(xp, x, **given)
    zg, zh = total(z * g), total(z * above)
    of_scale = scale * scale / -count * z * (total(g * above) - zg * zh / count)
    return of_scale - rms_normalize_input(xp, g * zh + above * zg, x, **given) * (scale / count)


def _inverse_rms(xp, x, axes, eps):
    return 1 / xp.sqrt(xp.mean(x * x, axis=axes, keepdims=True) + eps)


def _axis(ndim, axes):
    """The axis of the rows that is normalised: 1 where ``axes`` are the last ones, else 0."""
    return int(axes == tuple(range(ndim - len(axes), ndim)))


def _rows(xp, x, axes):
    """The array as contiguous rows."""
    if _axis(x.ndim, axes):
        width = math.prod(x.shape[axis] for axis in axes)
        rows = xp.ascontiguousarray(x)
    else:
        width = x.shape[1]
        rows = xp.ascontiguousarray(xp.moveaxis(x, 1, -1))
    return rows.reshape(x.size // width if width else 0, width)


def _unrows(xp, rows, shape, axes):
    """Rows seen as the array that they were made of."""
    if _axis(len(shape), axes):
        return rows.reshape(shape)
    return xp.moveaxis(rows.reshape(shape[0], *shape[2:], shape[1]), -1, 1)


def _each(xp, operate, rows, values, out=None):
    """``operate(rows, values)``, where values are (R, 1), or (1, C) for each column.

    Of short rows it takes several at once: NumPy is slow where its inner loop is short.
    """
    out = xp.empty_like(rows) if out is None else out
    at_once = 1
    if len(values) == 1 and rows.size and rows.shape[1] < _WIDTH:
        at_once = math.gcd(len(rows), 1 << (_WIDTH // rows.shape[1]).bit_length() - 1)
    shape = len(rows) // at_once, at_once * rows.shape[1]
    values = xp.tile(values, (1, at_once)) if at_once > 1 else values
    operate(rows.reshape(shape), values, out=out.reshape(shape))
    return out


_WIDTH = 1024


def _mean(xp, rows, axis):
    count = rows.shape[axis] or 1  # of no elements nobody sees the mean
    if axis:
        return matmul(xp, rows, xp.ones((rows.shape[1], 1), rows.dtype)) / count
    return column_sum(xp, rows)[None] / count


def _beside(xp, weight, ndim, axes):
    """The weight in a shape that broadcasts with the input."""
    return weight if _axis(ndim, axes) else xp.reshape(weight, (*weight.shape, *(1,) * (ndim - 2)))


def _summed_like_weight(xp, values, axes):
    """Sum to the weight's shape; leading axes are left to the engine, which sums those anyway."""
    return values if _axis(values.ndim, axes) else channel_sum(xp, values)
