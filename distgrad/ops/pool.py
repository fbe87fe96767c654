"""Pooling of images: the largest element of each window, or the mean."""

import math

import numpy as np

from distgrad.ops.op import op
from distgrad.ops.rounding import trunc_divide
from distgrad.ops.window import channels_first, channels_last, taps


@op
def max_pool2d(xp, x, /, window):
    """The largest element of each window over x (N, C, H, W); nan where the window holds one."""
    x = channels_last(xp, x)
    least = -math.inf if x.dtype.kind == "f" else xp.iinfo(x.dtype).min
    y = xp.full((len(x), *window.output, x.shape[3]), least, x.dtype)
    for _, met, place in taps(window, x.shape[1:3]):
        xp.maximum(y[met], x[place], out=y[met])
    return channels_first(y)


@max_pool2d.rule("x")
def _(xp, g, x, y, x_shape, window):
    winner = max_pool2d_winner(xp, x, y, window=window)
    return max_pool2d_scatter(xp, g, winner, window=window, size=x_shape[2:])


@op
def max_pool2d_winner(xp, x, largest, /, window):
    """The number within its window of each ``largest`` element: the first of equal ones."""
    x, largest = channels_last(xp, x), channels_last(xp, largest)
    dtype, nobody = (np.uint8, 0xFF) if math.prod(window.kernel) < 0xFF else (np.uint32, 0xFFFFFFFF)
    winner = xp.full(largest.shape, nobody, dtype)
    for number, met, place in taps(window, x.shape[1:3]):
        # A minimum of small numbers is many times faster than a choice by `where`.
        candidate = (x[place] != largest[met]).astype(dtype) * dtype(nobody)
        candidate |= dtype(number)
        xp.minimum(winner[met], candidate, out=winner[met])
    lost = winner == nobody
    if lost.any():  # nothing equals nan: there PyTorch takes the last
        for number, met, place in taps(window, x.shape[1:3]):
            winner[met][lost[met] & xp.isnan(x[place])] = number
    return channels_first(winner)


@op
def max_pool2d_indices(xp, x, largest, /, window):
    """Where in its image each ``largest`` element lies: row * W + column, or -1 for nowhere."""
    winner = max_pool2d_winner.forward(xp, x, largest, window)
    element = winner.astype(np.int64)
    (rows, columns), (sh, sw) = window.output, window.stride
    (top, left), (dh, dw), width = window.before, window.dilation, window.kernel[1]
    row = (xp.arange(rows) * sh - top)[:, None] + element // width * dh
    column = xp.arange(columns) * sw - left + element % width * dw
    return xp.where(winner == xp.iinfo(winner.dtype).max, -1, row * x.shape[3] + column)


@op
def max_pool2d_scatter(xp, values, winner, /, window, size):
    """Hand a value for each window to its winner, in an image of the given size."""
    values, winner = channels_last(xp, values), channels_last(xp, winner)
    # Windows that tile the image write each pixel once, and leave none out.
    whole = window._replace(stride=window.kernel, dilation=(1, 1), before=(0, 0))
    tiles = window == whole and window.span == tuple(size)
    x = (xp.empty if tiles else xp.zeros)((len(values), *size, values.shape[3]), values.dtype)
    for number, met, place in taps(window, size):
        if tiles:
            xp.multiply(values[met], winner[met] == number, out=x[place])
        else:
            x[place] += values[met] * (winner[met] == number)
    return channels_first(x)


@max_pool2d_scatter.rule("values")
def _(xp, g, winner, window):
    return max_pool2d_gather(xp, g, winner, window=window)


@op
def max_pool2d_gather(xp, x, winner, /, window):
    """The winner of each window over x (N, C, H, W)."""
    x, winner = channels_last(xp, x), channels_last(xp, winner)
    y = xp.zeros(winner.shape, x.dtype)
    for number, met, place in taps(window, x.shape[1:3]):
        y[met] += x[place] * (winner[met] == number)
    return channels_first(y)


@max_pool2d_gather.rule("x")
def _(xp, g, winner, x_shape, window):
    return max_pool2d_scatter(xp, g, winner, window=window, size=x_shape[2:])


@op
def avg_pool2d(xp, x, /, window, counts):
    """The sum of each window over x (N, C, H, W), divided by its counts.

    ``counts`` holds a number for each row and one for each column of the output; their product is
    the divisor.
    """
    x = channels_last(xp, x)
    y = xp.zeros((len(x), *window.output, x.shape[3]), x.dtype)
    for _, met, place in taps(window, x.shape[1:3]):
        y[met] += x[place]
    divisor = _divisor(xp, counts, x.dtype)
    if x.dtype.kind == "f":
        y /= divisor
        return channels_first(y)
    return channels_first(trunc_divide.forward(xp, y, divisor))


@avg_pool2d.rule("x")
def _(xp, g, x_shape, window, counts):
    return avg_pool2d_input(xp, g, window=window, counts=counts, size=x_shape[2:])


@op
def avg_pool2d_input(xp, above, /, window, counts, size):
    """The gradient of `avg_pool2d` by its input, of the given size, from the gradient ``above``."""
    share = channels_last(xp, above) / _divisor(xp, counts, above.dtype)
    x = xp.zeros((len(share), *size, share.shape[3]), share.dtype)
    for _, met, place in taps(window, size):
        x[place] += share[met]
    return channels_first(x)


@avg_pool2d_input.rule("above")
def _(xp, g, window, counts):
    return avg_pool2d(xp, g, window=window, counts=counts)


def _divisor(xp, counts, dtype):
    rows, columns = (xp.asarray(count, dtype) for count in counts)
    return rows[:, None, None] * columns[:, None]
