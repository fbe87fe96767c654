"""Times of work on the GPU, by its own events."""

from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.gpu.sizes import SIZES

__all__ = ["median_us"]


def median_us(work: Callable[[], Any], repeats: int = 30, inner: int = 1, warmup: int = 5) -> float:
    """Return the median time of one piece of work in microseconds.

    Args:
        work: What is timed; it may return before the GPU is done.
        repeats: How often a time is taken.
        inner: How many pieces make up one time.
        warmup: Pieces that come before, untimed.
    """
    import cupy

    repeats, inner, warmup = (min(n, SIZES.most_times) for n in (repeats, inner, warmup))
    for _ in range(warmup):
        work()
    cupy.cuda.Device().synchronize()
    times = []
    for _ in range(repeats):
        start, stop = cupy.cuda.Event(), cupy.cuda.Event()
        start.record(cupy.cuda.Stream.null)
        for _ in range(inner):
            work()
        stop.record(cupy.cuda.Stream.null)
        stop.synchronize()
        times.append(cupy.cuda.get_elapsed_time(start, stop) * 1e3 / inner)
    return median(times)
