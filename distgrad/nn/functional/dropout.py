"""Dropout of elements and of channels, drawn from the random scope."""

import math
from typing import Any

from distgrad import ops
from distgrad.autograd import next_draw
from distgrad.backend import Array, Namespace, array_namespace, random_bits
from distgrad.backend.kernels import kernel
from distgrad.backend.listening import beside
from distgrad.nn.functional.checks import check_floating
from distgrad.nn.functional.in_place import replaced
from distgrad.tensor import Tensor, apply

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "dropout_add",
    "feature_alpha_dropout",
]

# The value that SELU tends to on the left, minus its scale times its alpha.
# G. Klambauer et al., "Self-normalizing neural networks", NIPS 2017.
_SATURATION = -1.7580993408473766


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set each element to 0 with probability ``p`` and scale the others by 1 / (1 - p).

    The bits are a call of the current random scope, 32 for an element: inside
    `DataParallel.accumulate` they depend on (seed, step, micro-batch, call), never on the rank.

    Args:
        input: Any shape.
        p: From 0 to 1; 0.5 by default.
        training: Outside training the input is returned.
        inplace: Change ``input`` itself. Default: False.

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
    return _dropped("dropout", input, p, training, inplace)


def dropout_add(input: Tensor, residual: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Return ``residual + dropout(input, p, training)`` in one operation.

    In float32 and float64 it has the same bits; in 16 bits it may be rounded once instead of twice.

    Args:
        input: Any shape.
        residual: What it is added to, of the same shape and data type.
        p: From 0 to 1; 0.5 by default.
        training: Outside training nothing is set to 0.

    Raises:
        ValueError: If ``p`` is not a probability, or the shapes differ.
        TypeError: If ``input`` is not of floating-point type.
        RuntimeError: If the data types differ.

    Example:
        >>> import distgrad as dg
        >>> dropout_add(dg.ones(3), dg.tensor([1.0, 2.0, 3.0]), p=1.0)
        tensor([1., 2., 3.])
    """
    name = "dropout_add"
    if input.shape != residual.shape:
        raise ValueError(
            f"{name}: input and residual must have one shape, got {input.shape} and "
            f"{residual.shape}"
        )
    if input.dtype != residual.dtype:
        raise RuntimeError(
            f"{name}: input and residual must have one data type, got {input.dtype} and "
            f"{residual.dtype}; convert with .to()"
        )
    if _left_alone(name, input, p, training):
        return residual + input
    kept = _kept(name, input, p)
    return apply(ops.dropout_add, input, residual, kept, scale=_scale(input, p))


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Set whole channels to 0 with probability ``p`` and scale the others by 1 / (1 - p).

    Args:
        input: (N, C, L) or (C, L)
        p: From 0 to 1; 0.5 by default.
        training: Outside training the input is returned.
        inplace: Change ``input`` itself. Default: False.

    Raises:
        ValueError: If ``p`` is not a probability.
        RuntimeError: If ``input`` has another number of axes.
        TypeError: If it is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> dropout1d(dg.ones(2, 3), training=False).shape
        (2, 3)

    Reference:
        J. Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015.
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: the input must have shape (N, C, L) or (C, L), got {input.shape}"
        )
    return _dropped("dropout1d", input, p, training, inplace, 3)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Set whole channels of images to 0 with probability ``p``, and scale the others.

    Args:
        input: (N, C, H, W), or any shape (N, C, ...).
        p: From 0 to 1; 0.5 by default.
        training: Outside training the input is returned.
        inplace: Change ``input`` itself. Default: False.

    Raises:
        ValueError: If ``p`` is not a probability.
        RuntimeError: If ``input`` has fewer than 2 axes.
        TypeError: If it is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> image = dropout2d(dg.ones(1, 8, 2, 2))
        >>> set(image.sum((2, 3)).tolist()[0]) <= {0.0, 8.0}
        True
    """
    return _dropped("dropout2d", input, p, training, inplace, 2)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Set whole channels of volumes to 0 with probability ``p``, and scale the others.

    Args:
        input: (N, C, D, H, W), or with fewer axes one sample (C, ...).
        p: From 0 to 1; 0.5 by default.
        training: Outside training the input is returned.
        inplace: Change ``input`` itself. Default: False.

    Raises:
        ValueError: If ``p`` is not a probability.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> dropout3d(dg.ones(1, 2, 2, 2, 2), p=1.0).sum()
        tensor(0.)
    """
    return _dropped("dropout3d", input, p, training, inplace, 5)


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Set each element to where SELU saturates with probability ``p``; keep mean and variance.

    Of inputs with mean 0 and variance 1, as `selu` gives, the result has them again.

    Args:
        input: Any shape.
        p: From 0 to 1; 0.5 by default. With 1 the result is 0.
        training: Outside training, which is the default, the input is returned.
        inplace: Change ``input`` itself. Default: False.

    Raises:
        ValueError: If ``p`` is not a probability.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> len(set(alpha_dropout(dg.zeros(100), training=True).tolist()))
        2

    Reference:
        G. Klambauer et al., "Self-normalizing neural networks", NIPS 2017.
    """
    return _saturated("alpha_dropout", input, p, training, inplace)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Set whole channels to where SELU saturates; see `alpha_dropout`.

    Args:
        input: (N, C, ...)
        p: From 0 to 1; 0.5 by default. With 1 the result is 0.
        training: Outside training, which is the default, the input is returned.
        inplace: Change ``input`` itself. Default: False.

    Raises:
        ValueError: If ``p`` is not a probability.
        RuntimeError: If ``input`` has fewer than 2 axes.
        TypeError: If it is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> feature_alpha_dropout(dg.ones(2, 2), p=1.0, training=True).sum()
        tensor(0.)
    """
    return _saturated("feature_alpha_dropout", input, p, training, inplace, 2)


def _dropped(
    name: str, input: Tensor, p: float, training: bool, inplace: bool, channel_axes: int = 0
) -> Tensor:
    if _left_alone(name, input, p, training):
        return input
    if inplace:
        return replaced(input, lambda x: _dropped(name, x, p, training, False, channel_axes))
    return apply(ops.dropout, input, _kept(name, input, p, channel_axes), scale=_scale(input, p))


@kernel
def kept_elements(
    xp: Namespace,
    shape: tuple[int, ...],
    /,
    seed: int,
    stream: int,
    counter: tuple[int, ...],
    least: int,
) -> Array:
    """Return where the bits of a draw, 32 for each element, are at least ``least``."""
    return random_bits(xp, shape, seed=seed, stream=stream, counter=counter) >= least


def _saturated(
    name: str, input: Tensor, p: float, training: bool, inplace: bool, channel_axes: int = 0
) -> Tensor:
    if _left_alone(name, input, p, training):
        return input
    if inplace:
        return replaced(input, lambda x: _saturated(name, x, p, training, False, channel_axes))
    kept = _kept(name, input, p, channel_axes)
    if p == 1:
        return input * 0
    scale = 1 / math.sqrt((_SATURATION**2 * p + 1) * (1 - p))
    terms = (~kept * _SATURATION - _SATURATION * p) * scale
    factors = (kept * scale).astype(input.dtype)
    result: Tensor = input * factors + terms.astype(input.dtype)
    return result


def _left_alone(name: str, input: Tensor, p: float, training: bool) -> bool:
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p must be from 0 to 1, got {p}")
    if not training or p == 0:
        return True
    check_floating(name, input)
    return False


def _scale(input: Tensor, p: float) -> Any:
    """Return the factor of what stays, a number of the input's type."""
    return input.dtype.type(1 / (1 - p) if p < 1 else 0)


def _kept(name: str, input: Tensor, p: float, channel_axes: int = 0) -> Array:
    """Draw for each element, or each channel, whether it stays.

    Args:
        name: The function.
        input: Its input.
        p: With which probability it goes.
        channel_axes: How many axes a batch has at least, if channels are drawn: where there are
            fewer, the first axis is that of the channels. 0 for elements.
    """
    shape = input.shape
    if channel_axes:
        leading = 2 if input.ndim >= channel_axes else 1
        if input.ndim < (2 if channel_axes == 2 else 1):
            raise RuntimeError(f"{name}: the input must have shape (N, C, ...), got {shape}")
        shape = shape[:leading] + (1,) * (input.ndim - leading)
    seed, stream, counter = next_draw()
    draw = {"seed": seed, "stream": stream, "counter": counter}
    xp, least = array_namespace(input.data), round(p * 2**32)
    return beside(kept_elements, xp, shape, least=least, **draw)
