"""Padding: elements of one value, or copies of those that are there."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from distgrad import ops
from distgrad.ops.resample import Resampling
from distgrad.tensor import Tensor, apply

__all__ = ["pad"]

_MODES = ("constant", "reflect", "replicate", "circular")


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Return the tensor with elements added at the ends of its axes.

    Args:
        input: Any shape; in the modes that copy elements 2 to 5 axes.
        pad: Pairs (before, after), for the last axis first; a negative number takes elements away.
            Pairs of the modes that copy serve the last 1, 2 or 3 axes: all but the one or two
            in front, which are channels, or batch and channels.
        mode: "constant"; or copies of elements: "reflect" turns round at the last element,
            "replicate" repeats it, "circular" begins anew at the other end.
        value: What is added in the mode "constant"; 0 by default.

    Raises:
        ValueError: If the mode is unknown or takes no value, or ``pad`` does not consist of pairs
            for as many axes.
        RuntimeError: If more elements are to be taken away than there are, or there are too few to
            be copied.

    Example:
        >>> import distgrad as dg
        >>> pad(dg.ones(1, 2), (1, 0, 0, 1))
        tensor([[0., 1., 1.],
                [0., 0., 0.]])
        >>> pad(dg.tensor([[1, 2, 3]]), (2, 1), mode="reflect").tolist()
        [[3, 2, 1, 2, 3, 2]]
    """
    if mode not in _MODES:
        raise ValueError(f"pad: mode must be one of {_MODES}, got {mode!r}")
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ValueError(
            f"pad: a tensor of {input.ndim} axes takes 2, 4, ... up to {2 * input.ndim} numbers, "
            f"got {len(pad)}"
        )
    pairs = list(zip(pad[::2], pad[1::2], strict=True))
    widths = [(0, 0)] * (input.ndim - len(pairs)) + pairs[::-1]
    if any(_kept(n, *width) < 0 for n, width in zip(input.shape, widths, strict=True)):
        raise RuntimeError(f"pad: {tuple(pad)} takes more than there is of shape {input.shape}")
    if mode == "constant":
        return apply(ops.pad, input, pad_width=tuple(widths), value=value or 0)
    if value:
        raise ValueError(f"pad: the mode {mode!r} takes no value, got {value}")
    return _copied(input, widths, len(pairs), mode)


def _kept(n: int, before: int, after: int) -> int:
    """Return how many elements stay where negative numbers take some away."""
    return n - max(0, -before) - max(0, -after)


def _copied(input: Tensor, widths: list[tuple[int, int]], count: int, mode: str) -> Tensor:
    """Return the tensor with copies of its elements at the ends of its last ``count`` axes."""
    first = input.ndim - count
    if not 1 <= count <= 3 or first not in (1, 2):
        raise ValueError(
            f"pad: the mode {mode!r} pads the last 1, 2 or 3 axes behind channels, or batch and "
            f"channels, got {2 * count} numbers for {input.ndim} axes; give one pair for each of "
            f"{max(input.ndim - 2, 1)} axes"
        )
    if 0 in input.shape[first - 1 :]:
        raise RuntimeError(
            f"pad: the mode {mode!r} needs elements to copy, got shape {input.shape}; no axis but "
            "that of the batch may have length 0"
        )
    for axis in range(first, input.ndim):
        sources = _sources(mode, input.shape[axis], *widths[axis])
        by = Resampling(len(sources), np.arange(len(sources)), sources)
        input = apply(ops.resample, input, axis=axis, by=by)
    return input


def _sources(mode: str, n: int, before: int, after: int) -> Any:
    """Return which element of an axis of length n stands at each place of the padded one."""
    kept = _kept(n, before, after)  # what is taken away is not begun anew
    most = {"reflect": n - 1, "replicate": max(before, after), "circular": kept}[mode]
    if before > most or after > most or n + before + after < 1:
        raise RuntimeError(
            f"pad: of an axis of length {n} the mode {mode!r} adds at most {most} elements at "
            f"either end and leaves at least 1, got {(before, after)}"
        )
    places = np.arange(-before, n + after)
    if mode == "replicate":
        return places.clip(0, n - 1)
    if mode == "reflect":
        return n - 1 - abs(n - 1 - abs(places))
    start = max(0, -before)
    return start + (places - start) % kept
