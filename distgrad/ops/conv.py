"""Convolution of images, and its transpose: matrix products of what the windows see, as columns.

The columns of a few images are gathered at a time, so that they stay in cache until the product has
read them. Nothing but input and weight is kept for the gradients, which gather their columns anew.
Whatever strides an input has, it is first brought into one order: the bits of a result do not
depend on them. That is why a weight has no storage order of its own: to bring it into rows of
(kernel, C) takes less than 1 % of the products that follow.

K. Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for document
processing", IWFHR 2006.
"""

import math
from itertools import product

from distgrad.ops import winograd
from distgrad.ops.op import op
from distgrad.ops.window import channels_first, channels_last, padded, sliding_view, taps

_COLUMN_BYTES = 1 << 20  # about what a second-level cache holds
_LEAST_ROWS = 512  # a product of fewer mostly reads its weight


@op(kernel=True)
def conv2d(xp, x, weight, bias, /, window, groups):
    """Correlate x (N, C, H, W) with weight (O, C / groups, *kernel); bias is (O,) or None."""
    x, matrices = channels_last(xp, x), _matrices(xp, weight, groups)
    if winograd.serves(window, x.dtype, weight.shape[1], len(weight) // groups):
        return channels_first(winograd.correlated(xp, x, matrices, bias, window, groups))
    y = xp.empty((len(x), *window.output, len(weight)), x.dtype)
    for place, columns in _columns(xp, x, window, groups):
        rows = y[place].reshape(-1, len(weight))
        xp.matmul(columns, matrices.transpose(0, 2, 1), out=_by_group(rows, groups))
        if bias is not None:
            rows += bias
    return channels_first(y)


@conv2d.rule("x")
def _(xp, g, weight, x_shape, window, groups):
    return conv_transpose2d(xp, g, weight, None, window=window, groups=groups, size=x_shape[2:])


@conv2d.rule("weight")
def _(xp, g, x, window, groups):
    return conv2d_weight(xp, x, g, window=window, groups=groups)


@conv2d.rule("bias")
def _(xp, g):
    return channel_sum(xp, g)


@op(kernel=True)
def conv_transpose2d(xp, x, weight, bias, /, window, groups, size):
    """Hand x (N, O, *window.output) down to the places that each window sees: (N, C, *size).

    Weight is that of `conv2d`, whose gradient by its input this is; bias is (C,) or None.
    """
    # To gather moves the channels of the output, to scatter those of the input, and each slowly.
    if window.stride == (1, 1) and len(weight) <= 4 * groups * weight.shape[1]:
        before = tuple(r - b for r, b in zip(window.reach, window.before, strict=True))
        turned = window._replace(before=before, output=size)
        return conv2d.forward(xp, x, _turned(weight, groups), bias, turned, groups)
    y = _scattered(xp, channels_last(xp, x), weight, window, groups, size)
    if bias is not None:
        y += bias
    return channels_first(y)


@conv_transpose2d.rule("x")
def _(xp, g, weight, window, groups):
    return conv2d(xp, g, weight, None, window=window, groups=groups)


@conv_transpose2d.rule("weight")
def _(xp, g, x, window, groups):
    return conv2d_weight(xp, g, x, window=window, groups=groups)


@conv_transpose2d.rule("bias")
def _(xp, g):
    return channel_sum(xp, g)


@op(kernel=True)
def conv2d_weight(xp, x, above, /, window, groups):
    """The gradient of `conv2d` by its weight, from the gradient ``above``."""
    x, above = channels_last(xp, x), channels_last(xp, above)
    depth, outputs = x.shape[3] // groups, above.shape[3]
    if winograd.serves(window, x.dtype, depth, outputs // groups):
        total = winograd.weight_gradient(xp, x, above, window, groups)
        return channels_first(total.reshape(outputs, *window.kernel, depth))
    total = xp.zeros((groups, outputs // groups, math.prod(window.kernel) * depth), x.dtype)
    for place, columns in _columns(xp, x, window, groups):
        rows = _by_group(above[place].reshape(-1, outputs), groups)
        total += xp.matmul(rows.transpose(0, 2, 1), columns)
    return channels_first(total.reshape(outputs, *window.kernel, depth))


@conv2d_weight.rule("x")
def _(xp, g, above, x_shape, window, groups):
    return conv_transpose2d(xp, above, g, None, window=window, groups=groups, size=x_shape[2:])


@conv2d_weight.rule("above")
def _(xp, g, x, window, groups):
    return conv2d(xp, x, g, None, window=window, groups=groups)


@op(kernel=True)
def channel_sum(xp, x):
    """The sum of each channel of x (N, C, ...)."""
    rows = xp.ascontiguousarray(xp.moveaxis(x, 1, -1)).reshape(-1, x.shape[1])
    return xp.matmul(xp.ones(len(rows), x.dtype), rows)  # several times faster than a sum


@channel_sum.rule("x")
def _(xp, g, x_shape):
    return xp.broadcast_to(xp.reshape(g, (x_shape[1], *(1,) * (len(x_shape) - 2))), x_shape)


def _matrices(xp, weight, groups):
    """The weight as (groups, O / groups, kernel * C / groups)."""
    return channels_last(xp, weight).reshape(groups, len(weight) // groups, -1)


def _turned(weight, groups):
    """The weight with which `conv2d` leads from the gradient of the output to the input's."""
    outputs, depth, *kernel = weight.shape
    by_group = weight[:, :, ::-1, ::-1].reshape(groups, outputs // groups, depth, *kernel)
    return by_group.swapaxes(1, 2).reshape(groups * depth, outputs // groups, *kernel)


def _by_group(rows, groups):
    """Rows (P, groups * K) as (groups, P, K), in the same memory."""
    return rows.reshape(len(rows), groups, -1).swapaxes(0, 1)


def _blocks(count, window, row_bytes):
    """Cut images, or an image's rows, into pieces whose columns fit into the cache."""
    height, width = window.output
    lines = max(_COLUMN_BYTES // (row_bytes * width), -(-_LEAST_ROWS // width))
    images = max(1, lines // height)
    for first in range(0, count, images):
        whole = slice(first, min(first + images, count))
        yield whole, [slice(top, min(top + lines, height)) for top in range(0, height, lines)]


def _columns(xp, x, window, groups):
    """For each block: its place in an output (N, H, W, O), and what its windows see in x.

    That is one row for each window, (groups, rows, kernel * C / groups). The rows of a block are
    overwritten by those of the next.
    """
    width = math.prod(window.kernel) * x.shape[3]
    room = None
    for images, bands in _blocks(len(x), window, x.itemsize * width or 1):
        view = sliding_view(xp, padded(xp, x[images], window), window, groups)
        for band in bands:
            seen = view[:, :, band]
            if not seen.flags.c_contiguous:
                if room is None:
                    room = xp.empty(seen.size, x.dtype)
                seen = _gathered(seen, room[: seen.size])
            yield (images, band), seen.reshape(groups, -1, width // groups)


def _gathered(seen, room):
    """Copy windows (groups, N, H, W, *kernel, C) in the longest runs of memory there are."""
    groups, *places, kh, kw, depth = seen.shape
    if depth > 1:
        into = room.reshape(seen.shape)
        into[...] = seen
        return into
    # Line after line of places: it is one to a matrix product which way its columns lie.
    into = room.reshape(groups, kh, kw, 1, *places).transpose(0, 4, 5, 6, 1, 2, 3)
    for i, j in product(range(kh), range(kw)):
        into[..., i, j, 0] = seen[..., i, j, 0]
    return into


def _scattered(xp, above, weight, window, groups, size):
    """Add what each window hands down to the places that it saw: (N, *size, C)."""
    matrices, depth = _matrices(xp, weight, groups), weight.shape[1]
    result = xp.zeros((len(above), *size, groups, depth), above.dtype)
    for images, bands in _blocks(
        len(above), window, weight.itemsize * weight[0].size * groups or 1
    ):
        for band in bands:
            rows = above[images, band]
            handed = xp.matmul(_by_group(rows.reshape(-1, rows.shape[3]), groups), matrices)
            handed = handed.reshape(groups, *rows.shape[:3], -1, depth).transpose(4, 1, 2, 3, 0, 5)
            top = window.before[0] - band.start * window.stride[0]
            part = window._replace(
                before=(top, window.before[1]), output=(rows.shape[1], window.output[1])
            )
            for number, met, place in taps(part, size):
                result[images][place] += handed[number][met]
    return result.reshape(len(above), *size, groups * depth)
