"""Convolution with kernels of three rows in two thirds of the products: Winograd's F(2, 3).

Two rows of the output see four rows of the image. With d0 to d3 for these and w0 to w2 for the rows
of the kernel, four products make what takes six: ::

    m0 = (d0 - d2) w0                  y0 = m0 + m1 + m2
    m1 = (d1 + d2) (w0 + w1 + w2) / 2  y1 = m1 - m2 - m3
    m2 = (d2 - d1) (w0 - w1 + w2) / 2
    m3 = (d1 - d3) w2

Along the columns windows are gathered as they are everywhere else. To save products there too, in
F(2x2, 3x3), takes more passes over memory than NumPy makes up for.

In float32 its error is no larger than that of the sum of all products. But where a pixel is not
finite, the outputs of its pair of rows, and of those next to it, may become nan.

S. Winograd, "Arithmetic complexity of computations", SIAM (1980); A. Lavin, S. Gray, "Fast
algorithms for convolutional neural networks", arXiv:1509.09308.
"""

from distgrad.ops.window import padded, sliding_view

__all__ = ["correlated", "serves", "weight_gradient"]

_BLOCK_BYTES = 1 << 21  # of columns and products; smaller ones spend their time in calls
_LEAST_DEPTH = 96  # elements of a row of a window: with fewer the sums cost what they save
_LEAST_OUTPUTS = 32
_LEAST_ROWS = 4  # of the output


def serves(window, dtype, depth, outputs):
    """Tell whether these windows, over ``depth`` channels in a group, are worth it."""
    return (
        (window.kernel[0], window.stride[0], window.dilation[0]) == (3, 1, 1)
        and window.output[0] >= _LEAST_ROWS
        and window.kernel[1] * depth >= _LEAST_DEPTH
        and outputs >= _LEAST_OUTPUTS
        and dtype.name == "float32"
    )


def correlated(xp, x, matrices, bias, window, groups):
    """Correlate x (N, H, W, C) with matrices (groups, O / groups, kernel * C / groups)."""
    outputs = matrices.shape[1]
    weights = _of_weight(xp, matrices)
    y = xp.empty((len(x), *window.output, groups, outputs), x.dtype)
    room = None
    for place, columns in _columns(xp, x, window, groups, outputs):
        if room is None:
            room = xp.empty((*columns.shape[:3], outputs), x.dtype)
        products = xp.matmul(columns, weights, out=room[:, :, : columns.shape[2]])
        _add_up(xp, products, y[place])
        if bias is not None:
            y[place] += bias.reshape(groups, outputs)
    return y.reshape(len(x), *window.output, groups * outputs)


def weight_gradient(xp, x, above, window, groups):
    """Return the gradient by the matrices, (groups, O / groups, kernel * C / groups)."""
    rows, width = window.output
    below = window._replace(kernel=(1, 1), stride=(1, 1), before=(0, 0))
    above = padded(xp, above, below._replace(output=(rows + rows % 2, width)))
    above = above.reshape(*above.shape[:3], groups, above.shape[3] // groups)
    depth = window.kernel[1] * x.shape[3] // groups
    total = xp.zeros((groups, 4, above.shape[4], depth), x.dtype)
    for place, columns in _columns(xp, x, window, groups, above.shape[4]):
        total += xp.matmul(_spread(xp, above[place]).swapaxes(2, 3), columns)
    m0, m1, m2, m3 = total.swapaxes(0, 1)
    half = x.dtype.type(0.5)
    m1, m2 = (m1 + m2) * half, (m1 - m2) * half
    return xp.concatenate([m0 + m1, m2, m1 + m3], axis=2)


def _of_weight(xp, matrices):
    """What stands in for the kernel's rows in the four products, (groups, 4, kernel / 3, O)."""
    groups, outputs, width = matrices.shape
    w0, w1, w2 = matrices.reshape(groups, outputs, 3, width // 3).transpose(2, 0, 3, 1)
    half = matrices.dtype.type(0.5)
    outer, inner = (w0 + w2) * half, w1 * half
    return xp.stack([w0, outer + inner, outer - inner, w2], axis=1)


def _columns(xp, x, window, groups, outputs):
    """For each block: its rows in an output, and what the four products multiply.

    That is (groups, 4, pairs of rows * width, kernel / 3 * C / groups). The columns of a block are
    overwritten by those of the next.
    """
    (height, width), channels = window.output, x.shape[3]
    pairs = -(-height // 2)
    even = window._replace(output=(2 * pairs, width))
    beside = window._replace(kernel=(1, window.kernel[1]))
    line = 4 * x.itemsize * width * (window.kernel[1] * channels + groups * outputs)
    lines = max(1, _BLOCK_BYTES // line)
    images = max(1, lines // pairs)
    room = None
    for first in range(0, len(x), images):
        whole = slice(first, min(first + images, len(x)))
        view = padded(xp, x[whole], even)
        for top in range(0, pairs, lines):
            end = min(top + lines, pairs)
            sums = _differences(xp, view[:, 2 * top : 2 * end + 2])
            seen = sliding_view(xp, sums, beside._replace(output=(end - top, width)), groups)
            if room is None:
                room = xp.empty(seen.size, x.dtype)
            columns = room[: seen.size].reshape(seen.shape)
            columns[...] = seen
            place = (whole, slice(2 * top, 2 * end))
            yield place, columns.reshape(groups, 4, -1, seen.shape[-1] * seen.shape[-2])


def _differences(xp, rows):
    """The sums and differences of each four rows, two apart, as (4 * N, pairs, W, C)."""
    count, height, *row = rows.shape
    d0, d1, d2, d3 = rows[:, 0:-2:2], rows[:, 1:-1:2], rows[:, 2::2], rows[:, 3::2]
    sums = xp.empty((4, count, height // 2 - 1, *row), rows.dtype)
    xp.subtract(d0, d2, out=sums[0])
    xp.add(d1, d2, out=sums[1])
    xp.subtract(d2, d1, out=sums[2])
    xp.subtract(d1, d3, out=sums[3])
    return sums.reshape(4 * count, *sums.shape[2:])


def _add_up(xp, products, y):
    """Write two rows of y (N, 2 * pairs, W, groups, O) from each four products."""
    above, below = y[:, 0::2], y[:, 1::2]
    products = products.reshape(len(products), 4, len(y), -1, *y.shape[2:3], y.shape[4])
    m0, m1, m2, m3 = products.transpose(1, 2, 3, 4, 0, 5)
    m0 += m1
    xp.add(m0, m2, out=above)
    m1 -= m2
    kept = slice(below.shape[1])  # the last pair of an odd number of rows is half
    xp.subtract(m1[:, kept], m3[:, kept], out=below)


def _spread(xp, above):
    """What the columns are multiplied with, (groups, 4, pairs of rows * width, O / groups)."""
    g0, g1 = above[:, 0::2], above[:, 1::2]
    spread = xp.empty((4, *g0.shape), above.dtype)
    spread[0] = g0
    xp.add(g0, g1, out=spread[1])
    xp.subtract(g0, g1, out=spread[2])
    xp.negative(g1, out=spread[3])
    return spread.transpose(4, 0, 1, 2, 3, 5).reshape(above.shape[3], 4, -1, above.shape[4])
