"""The Mackey-Glass series, a chaotic one that can be told ahead."""

from collections import deque

import numpy as np

from distgrad.backend import Array
from distgrad.data.checks import checked_integer
from distgrad.data.dataset import TensorDataset
from distgrad.data.sources.split import Split

__all__ = ["mackey_glass"]

_STEPS = 10
"""Steps of the integration in a unit of time."""

_SETTLING = 500
"""Units of time until the series no longer shows how it began."""


def mackey_glass(
    length: int = 4000,
    context: int = 32,
    horizon: int = 6,
    delay: int = 17,
    test_fraction: float = 0.2,
) -> Split:
    """Return pieces of a Mackey-Glass series, and what follows each some time later.

    The series solves ``dx/dt = 0.2 x(t - delay) / (1 + x(t - delay)**10) - 0.1 x(t)``, taken once
    in a unit of time and scaled to mean 0 and variance 1 over the part that is trained on. Training
    samples come from its beginning and test samples from its end, and no number is in both.

    ``x`` is float32 of shape (n, context, 1), ``context`` numbers in a row; ``y`` is float32 of
    shape (n, 1), the number ``horizon`` units of time behind the last of them. A mean squared error
    of 1 is that of knowing nothing.

    Args:
        length: Numbers in the series.
        context: Numbers in a sample.
        horizon: How far ahead ``y`` lies.
        delay: That of the equation, in units of time; with 17 and more the series is chaotic.
        test_fraction: Share of the series that is held out.

    Raises:
        ValueError: If a number is not positive, or if a part of the series is too short for a
            sample.

    Example:
        >>> train, test = mackey_glass(length=1000, context=16)
        >>> train[:].x.shape, test[:].y.shape
        ((779, 16, 1), (179, 1))

    Reference:
        M. C. Mackey and L. Glass, "Oscillation and chaos in physiological control systems",
        Science 197 (1977).
    """
    numbers = {"length": length, "context": context, "horizon": horizon, "delay": delay}
    for name, number in numbers.items():
        checked_integer(name, number, minimum=1)
    held_out = round(length * test_fraction)
    if min(held_out, length - held_out) < context + horizon:
        raise ValueError(
            f"test_fraction {test_fraction} of a length of {length} leaves {length - held_out} "
            f"numbers to train on and {held_out} to test on; a sample of context {context} and "
            f"horizon {horizon} takes {context + horizon}"
        )
    series = _series(length, delay)
    train = series[: length - held_out]
    scaled = (series - train.mean()) / train.std()
    return Split(
        train=_samples(scaled[: length - held_out], context, horizon),
        test=_samples(scaled[length - held_out :], context, horizon),
    )


def _series(length: int, delay: int, settling: int = _SETTLING) -> Array:
    """Integrate by the midpoint rule, with sums and products alone: the bits are always the same.

    Between two steps the delayed value is the mean of its values at both.
    """
    width = 1 / _STEPS
    x = 1.2
    past = deque([x] * (delay * _STEPS + 1), maxlen=delay * _STEPS + 1)
    taken = []
    for step in range((settling + length) * _STEPS):
        if step % _STEPS == 0:
            taken.append(x)
        begin, end = past[0], past[1]
        half = x + 0.5 * width * _slope(x, begin)
        x += width * _slope(half, 0.5 * (begin + end))
        past.append(x)
    return np.array(taken[settling:])


def _slope(x: float, delayed: float) -> float:
    square = delayed * delayed
    fourth = square * square
    return 0.2 * delayed / (1 + fourth * fourth * square) - 0.1 * x


def _samples(series: Array, context: int, horizon: int) -> TensorDataset:
    windows = np.lib.stride_tricks.sliding_window_view(series, context + horizon)
    x = windows[:, :context, None].astype(np.float32)
    return TensorDataset(x=x, y=windows[:, -1:].astype(np.float32))
