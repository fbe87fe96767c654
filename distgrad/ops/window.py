"""`Window`: how a kernel slides over an image; what convolution and pooling share.

Images are (N, C, H, W) in every interface, but the work is done on (N, H, W, C) in memory: there
all channels of a pixel lie side by side, so that long runs are copied and the matrix products need
no transposed copies. Results are views of such memory, elementwise functions keep its order, and so
a network converts its input once.
"""

from typing import NamedTuple

__all__ = ["Window", "channels_first", "channels_last", "padded", "sliding_view", "taps"]


class Window(NamedTuple):
    """A sliding window; every field holds a number for the rows and one for the columns."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    """Rows above and columns left of the image; what it takes below and right follows from
    ``output``. A negative number leaves rows or columns out."""
    output: tuple[int, int]
    """How many places it takes."""

    @property
    def reach(self) -> tuple[int, int]:
        """How far its last element lies from its first."""
        (kh, kw), (dh, dw) = self.kernel, self.dilation
        return (kh - 1) * dh, (kw - 1) * dw

    @property
    def span(self) -> tuple[int, int]:
        """How many rows and columns it passes over."""
        (oh, ow), (sh, sw), (rh, rw) = self.output, self.stride, self.reach
        return (oh - 1) * sh + rh + 1, (ow - 1) * sw + rw + 1


def channels_last(xp, x):
    """The same image as a contiguous array (N, H, W, C)."""
    return xp.ascontiguousarray(x.transpose(0, 2, 3, 1))


def channels_first(y):
    """An array (N, H, W, C) seen as (N, C, H, W)."""
    return y.transpose(0, 3, 1, 2)


def taps(window, size):
    """For each element of the window: its number, where it meets the image, and where in it.

    The two indices fit arrays (N, H, W, C) of the output and of an image of ``size``. Elements that
    never meet the image are left out, and nothing has to be padded.
    """
    rows = [_meeting(window, size, 0, i) for i in range(window.kernel[0])]
    columns = [_meeting(window, size, 1, i) for i in range(window.kernel[1])]
    for a, row in enumerate(rows):
        for b, column in enumerate(columns):
            if row is not None and column is not None:
                number = a * window.kernel[1] + b
                yield number, (slice(None), row[0], column[0]), (slice(None), row[1], column[1])


def _meeting(window, size, axis, element):
    stride, places = window.stride[axis], window.output[axis]
    offset = element * window.dilation[axis] - window.before[axis]
    first = max(0, -(offset // stride))
    end = min(places, (size[axis] - 1 - offset) // stride + 1)
    if first >= end:
        return None
    start = first * stride + offset
    return slice(first, end), slice(start, start + (end - 1 - first) * stride + 1, stride)


def padded(xp, x, window):
    """What the window passes over, as (N, *window.span, C): with zeros around ``x``, or part of it.

    Where no zeros are needed, it is a view.
    """
    inside, place = [], []
    for size, before, span in zip(x.shape[1:3], window.before, window.span, strict=True):
        inside.append(slice(max(0, -before), max(0, min(size, span - before))))
        place.append(slice(max(0, before), max(0, before) + inside[-1].stop - inside[-1].start))
    image = x[:, inside[0], inside[1]]
    if image.shape[1:3] == window.span:
        return image
    result = xp.zeros((len(x), *window.span, x.shape[3]), x.dtype)
    result[:, place[0], place[1]] = image
    return result


def sliding_view(xp, x, window, groups):
    """Every place of the window over a padded image: (groups, N, *output, *kernel, C / groups)."""
    n, row, column, channel = x.strides
    (sh, sw), (dh, dw) = window.stride, window.dilation
    depth = x.shape[3] // groups
    return xp.lib.stride_tricks.as_strided(
        x,
        (groups, len(x), *window.output, *window.kernel, depth),
        (depth * channel, n, row * sh, column * sw, row * dh, column * dw, channel),
    )
