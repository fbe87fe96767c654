"""Windows over images, element by element: slow, and written without the engine's own code."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from distgrad.ops.window import Window


def window(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
) -> Window:
    """A window with equal padding on both sides, for an image of ``size``."""
    output = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, d, p in zip(size, kernel, stride, dilation, padding, strict=True)
    )
    return Window(kernel, stride, dilation, padding, output)


def meetings(window: Window, size: tuple[int, int]) -> Iterator[tuple[Any, Any, Any]]:
    """(place in the output, element of the kernel, pixel) wherever a window meets the image."""
    for i, j, a, b in np.ndindex(*window.output, *window.kernel):
        row = i * window.stride[0] + a * window.dilation[0] - window.before[0]
        column = j * window.stride[1] + b * window.dilation[1] - window.before[1]
        if 0 <= row < size[0] and 0 <= column < size[1]:
            yield (..., i, j), (..., a, b), (..., row, column)


def conv2d(x: Any, weight: Any, bias: Any, window: Window, groups: int) -> Any:
    y = np.zeros((len(x), len(weight), *window.output))
    for place, element, pixel in meetings(window, x.shape[2:]):
        product = np.einsum(
            "ngc,goc->ngo", _parts(x[pixel], groups), _split(weight[element], groups)
        )
        y[place] += product.reshape(y.shape[:2])
    return y if bias is None else y + np.reshape(bias, (-1, 1, 1))


def conv_transpose2d(x: Any, weight: Any, bias: Any, window: Window, groups: int, size: Any) -> Any:
    y = np.zeros((len(x), weight.shape[1] * groups, *size))
    for place, element, pixel in meetings(window, size):
        product = np.einsum(
            "ngo,goc->ngc", _parts(x[place], groups), _split(weight[element], groups)
        )
        y[pixel] += product.reshape(y.shape[:2])
    return y if bias is None else y + np.reshape(bias, (-1, 1, 1))


def conv2d_weight(x: Any, above: Any, window: Window, groups: int) -> Any:
    weight = np.zeros((above.shape[1], x.shape[1] // groups, *window.kernel))
    for place, element, pixel in meetings(window, x.shape[2:]):
        product = np.einsum("ngo,ngc->goc", _parts(above[place], groups), _parts(x[pixel], groups))
        weight[element] += product.reshape(weight.shape[:2])
    return weight


def max_pool2d(x: Any, window: Window) -> Any:
    y = np.full((*x.shape[:2], *window.output), -np.inf)
    for place, _, pixel in meetings(window, x.shape[2:]):
        y[place] = np.where(np.isnan(y[place]) | (y[place] > x[pixel]), y[place], x[pixel])
    return y


def max_pool2d_winner(x: Any, largest: Any, window: Window) -> Any:
    winner = np.full(largest.shape, 255, np.uint8)
    for place, (_, a, b), pixel in meetings(window, x.shape[2:]):
        found = (winner[place] == 255) & (x[pixel] == largest[place])
        winner[place][found] = a * window.kernel[1] + b
    return winner


def max_pool2d_indices(x: Any, largest: Any, window: Window) -> Any:
    indices = np.full(largest.shape, -1)
    for place, _, (_, row, column) in meetings(window, x.shape[2:]):
        found = (indices[place] == -1) & (x[..., row, column] == largest[place])
        indices[place][found] = row * x.shape[3] + column
    return indices


def max_pool2d_scatter(values: Any, winner: Any, window: Window, size: Any) -> Any:
    x = np.zeros((*values.shape[:2], *size))
    for place, (_, a, b), pixel in meetings(window, size):
        x[pixel] += np.where(winner[place] == a * window.kernel[1] + b, values[place], 0)
    return x


def max_pool2d_x(above: Any, x: Any, largest: Any, window: Window) -> Any:
    winner = max_pool2d_winner(x, largest, window)
    return max_pool2d_scatter(above, winner, window, x.shape[2:])


def max_pool2d_gather(x: Any, winner: Any, window: Window) -> Any:
    y = np.zeros(winner.shape)
    for place, (_, a, b), pixel in meetings(window, x.shape[2:]):
        y[place] += np.where(winner[place] == a * window.kernel[1] + b, x[pixel], 0)
    return y


def avg_pool2d(x: Any, window: Window, counts: Any) -> Any:
    y = np.zeros((*x.shape[:2], *window.output))
    for place, _, pixel in meetings(window, x.shape[2:]):
        y[place] += x[pixel]
    return y / np.outer(*counts)


def avg_pool2d_input(above: Any, window: Window, counts: Any, size: Any) -> Any:
    x = np.zeros((*above.shape[:2], *size))
    for place, _, pixel in meetings(window, size):
        x[pixel] += above[place] / (counts[0][place[1]] * counts[1][place[2]])
    return x


def _parts(channels: Any, groups: int) -> Any:
    """(N, C) as (N, groups, C / groups)."""
    return channels.reshape(len(channels), groups, channels.shape[1] // groups)


def _split(weight: Any, groups: int) -> Any:
    """(O, C / groups) as (groups, O / groups, C / groups)."""
    return weight.reshape(groups, len(weight) // groups, weight.shape[1])
