"""Padding."""

from collections.abc import Sequence

from distgrad import ops
from distgrad.tensor import Tensor, apply

__all__ = ["pad"]


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Return the tensor with elements of one value added at the ends of its axes.

    Args:
        input: Any shape.
        pad: Pairs (before, after), for the last axis first; a negative number takes elements away.
        mode: "constant", the only one there is.
        value: What is added; 0 by default.

    Raises:
        ValueError: If the mode is another one, or ``pad`` does not consist of pairs for at most all
            axes.
        RuntimeError: If more elements are to be taken away than there are.

    Example:
        >>> import distgrad as dg
        >>> pad(dg.ones(1, 2), (1, 0, 0, 1))
        tensor([[0., 1., 1.],
                [0., 0., 0.]])
    """
    if mode != "constant":
        raise ValueError(f"pad: the only mode is 'constant', got {mode!r}")
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ValueError(
            f"pad: a tensor of {input.ndim} axes takes 2, 4, ... up to {2 * input.ndim} numbers, "
            f"got {len(pad)}"
        )
    pairs = list(zip(pad[::2], pad[1::2], strict=True))
    widths = [(0, 0)] * (input.ndim - len(pairs)) + pairs[::-1]
    if any(n + sum(width) < 0 for n, width in zip(input.shape, widths, strict=True)):
        raise RuntimeError(f"pad: {tuple(pad)} takes more than there is of shape {input.shape}")
    return apply(ops.pad, input, pad_width=tuple(widths), value=value or 0)
