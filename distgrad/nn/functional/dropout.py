"""Dropout, drawn from the random scope."""

from typing import Any

from distgrad import ops
from distgrad.autograd import next_generator
from distgrad.nn.functional.checks import check_floating
from distgrad.tensor import Tensor, apply

__all__ = ["dropout"]


def dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Set each element to 0 with probability ``p`` and scale the others by 1 / (1 - p).

    The bits are a call of the current random scope, 32 for an element: inside
    `DataParallel.accumulate` they depend on (seed, step, micro-batch, call), never on the rank.

    Args:
        input: Any shape.
        p: From 0 to 1; 0.5 by default.
        training: Outside training the input is returned.

    Raises:
        ValueError: If ``p`` is not a probability.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> dropout(dg.ones(3), p=1.0)
        tensor([0., 0., 0.])

    Reference:
        N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
        JMLR 15 (2014).
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p must be from 0 to 1, got {p}")
    check_floating("dropout", input)
    if not training or p == 0:
        return input
    return apply(ops.dropout, input, _dropout_mask(input, p))


def _dropout_mask(input: Tensor, p: float) -> Any:
    count = input.numel()
    words = next_generator().bit_generator.random_raw(-(-count // 2))
    bits = words.astype("<u8", copy=False).view("<u4")[:count]
    kept = bits >= round(p * 2**32)
    scale = input.dtype.type(1 / (1 - p) if p < 1 else 0)
    return (kept * scale).reshape(input.shape)
