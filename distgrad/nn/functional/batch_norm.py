"""Normalisation of each channel by the batch, or by running statistics."""

import math

import numpy as np

from distgrad.autograd import no_grad
from distgrad.backend import Array
from distgrad.nn.functional.checks import check_floating, in_single
from distgrad.nn.functional.norm import check_same, normalized_with_moments
from distgrad.tensor import Tensor

__all__ = ["batch_norm", "follow", "normalize_batch"]


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel: ``(input - mean) / sqrt(var + eps) * weight + bias``.

    Args:
        input: (N, C) or (N, C, ...)
        running_mean: (C,); taken as the mean outside training, updated in training; or None.
        running_var: (C,); the same for the variance.
        weight: Factors (C,), or None for 1.
        bias: Terms (C,), or None for 0.
        training: Normalise by the mean and the biased variance of the batch, and move the running
            ones towards its mean and unbiased variance, at once. Default: False.
        momentum: By how much of the way. Default: 0.1.
        eps: Added to the variance. Default: 1e-5.

    Raises:
        ValueError: If the shapes do not fit, a channel has only one value or ``eps`` is not
            positive in training, or there are no running statistics outside it.
        TypeError: If the input is not of floating-point type.
        RuntimeError: If the data types differ.

    Example:
        >>> import distgrad as dg
        >>> batch_norm(dg.tensor([[1.0], [3.0]]), None, None, training=True)
        tensor([[-1.0000],
                [ 1.0000]])

    Reference:
        S. Ioffe, C. Szegedy, "Batch normalization: accelerating deep network training by reducing
        internal covariate shift", ICML 2015.
    """
    if input.shape == (0,):  # which PyTorch takes, although it has no channels
        return input.clone()
    running = (running_mean, running_var)
    if training:
        result, *statistics = normalize_batch(input, weight, bias, eps)
        for estimate, observed in zip(running, statistics, strict=True):
            if estimate is not None and input.numel():
                follow(estimate, observed, momentum)
        return result
    if running_mean is None or running_var is None:
        raise ValueError("batch_norm: outside training running_mean and running_var are needed")
    _check_batch(input, weight, bias)
    for name, tensor in (("running_mean", running_mean), ("running_var", running_var)):
        # In half precision they stay in float32, as in PyTorch.
        like = in_single(input) if tensor.dtype == np.float32 else input
        check_same("batch_norm", like, {name: tensor}, input.shape[1:2])
    if eps < 0:
        raise ValueError(f"batch_norm: eps must not be negative, got {eps}")
    scale = 1 / (in_single(running_var) + eps).sqrt()
    scale = scale if weight is None else in_single(weight) * scale
    shift = -in_single(running_mean) * scale
    shift = shift if bias is None else in_single(bias) + shift
    beside = (input.shape[1], *(1,) * (input.ndim - 2))
    result = in_single(input) * scale.reshape(beside) + shift.reshape(beside)
    return result.to(input.dtype)


def normalize_batch(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Array, Array]:
    """Normalise by the batch; return its mean and unbiased variance too, arrays (C,).

    Raises:
        ValueError: If the shapes do not fit, a channel has only one value, or ``eps`` is not
            positive.
        TypeError: If the input is not of floating-point type.
        RuntimeError: If the data types differ.
    """
    _check_batch(input, weight, bias)
    count = input.shape[0] * math.prod(input.shape[2:])
    if count == 1:
        raise ValueError(
            "batch_norm: in training a channel needs more than one value, got an input of shape "
            f"{input.shape}; use larger micro-batches, or eval()"
        )
    if eps <= 0:
        raise ValueError(f"batch_norm: in training eps must be positive, got {eps}")
    axes = 0, *range(2, input.ndim)
    result, (mean, variance) = normalized_with_moments(input, weight, bias, axes, eps)
    return result, mean.reshape(-1), variance.reshape(-1) * (count / max(count - 1, 1))


def follow(running: Tensor, observed: Array, momentum: float) -> None:
    """Move a running statistic towards an observed one, in place, by a part of the way."""
    with no_grad():
        running.mul_(1 - momentum).add_(observed, alpha=momentum)


def _check_batch(input: Tensor, *per_channel: Tensor | None) -> None:
    check_floating("batch_norm", input)
    if input.ndim < 2:
        raise ValueError(
            f"batch_norm: the input must have shape (N, C) or (N, C, ...), got {input.shape}"
        )
    named = dict(zip(("weight", "bias"), per_channel, strict=True))
    check_same("batch_norm", input, named, input.shape[1:2])
