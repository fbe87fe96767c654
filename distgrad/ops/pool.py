"""Pooling of images: the largest element of each window, or the mean."""

import math
from functools import reduce

import numpy as np

from distgrad.ops.op import op
from distgrad.ops.rounding import trunc_divide
from distgrad.ops.window import Window, channels_first, channels_last, taps
from distgrad.ops.winner import Winners

_BLOCK_BYTES = 1 << 20  # of images, so that what is made of them stays in cache


@op(kernel=True)
def max_pool2d(xp, x, /, window):
    """The largest element of each window over x (N, C, H, W); nan where the window holds one."""
    x = channels_last(xp, x)
    (kh, kw), (sh, sw), (dh, dw), (top, left), output = window
    # Lines first, so that most of it runs along the memory of whole lines.
    lines = Window((kh, 1), (sh, 1), (dh, 1), (top, 0), (output[0], x.shape[2]))
    beside = Window((1, kw), (1, sw), (1, dw), (0, left), output)
    return channels_first(_largest(xp, _largest(xp, x, lines), beside))


def _largest(xp, x, window):
    met, places = [], []
    for _, where, place in taps(window, x.shape[1:3]):
        met.append(where)
        places.append(x[place])
    shape = (len(x), *window.output, x.shape[3])
    if len(places) > 1 and all(place.shape == shape for place in places):
        return reduce(xp.maximum, places)
    least = -math.inf if x.dtype.kind == "f" else xp.iinfo(x.dtype).min
    y = xp.full(shape, least, x.dtype)
    for where, place in zip(met, places, strict=True):
        xp.maximum(y[where], place, out=y[where])
    return y


@max_pool2d.rule("x")
def _(xp, g, x, y, window):
    return max_pool2d_x(xp, g, x, y, window=window)


@op(kernel=True)
def max_pool2d_x(xp, above, x, largest, /, window):
    """The gradient of `max_pool2d`: ``above`` for the first element equal to the ``largest``."""
    above, x, largest = (channels_last(xp, array) for array in (above, x, largest))
    winners = Winners.of(xp, window, x.shape[1:3], x.shape[3])
    result = xp.empty(x.shape, above.dtype)
    step = max(1, _BLOCK_BYTES // (x[:1].nbytes or 1))
    for first in range(0, len(x), step):
        part = slice(first, first + step)
        winner = winners.find(x[part], largest[part])
        winners.hand_down(above[part], winner, result[part])
    return channels_first(result)


@max_pool2d_x.rule("above")
def _(xp, g, x, largest, window):
    winner = max_pool2d_winner(xp, x, largest, window=window)
    return max_pool2d_gather(xp, g, winner, window=window)


@op
def max_pool2d_winner(xp, x, largest, /, window):
    """The number within its window of each ``largest`` element: the first of equal ones."""
    x, largest = channels_last(xp, x), channels_last(xp, largest)
    return channels_first(Winners.of(xp, window, x.shape[1:3], x.shape[3]).find(x, largest))


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
    x = xp.empty((len(values), *size, values.shape[3]), values.dtype)
    Winners.of(xp, window, size, values.shape[3]).hand_down(values, winner, x)
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


@op(kernel=True)
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


@op(kernel=True)
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
