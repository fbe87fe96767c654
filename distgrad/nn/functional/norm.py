"""Layer and batch normalisation."""

from collections.abc import Mapping, Sequence

from distgrad import ops
from distgrad.autograd import no_grad
from distgrad.backend import Array, array_namespace
from distgrad.nn.functional.checks import check_floating
from distgrad.ops.norm import moments
from distgrad.tensor import Tensor, apply

__all__ = ["batch_norm", "follow", "layer_norm", "normalize_batch"]


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each sample: ``(input - mean) / sqrt(var + eps) * weight + bias``.

    Args:
        input: ``(..., *normalized_shape)``
        normalized_shape: The lengths of the last axes, over which mean and variance are taken.
        weight: Factors of shape ``normalized_shape``, or None for 1.
        bias: Terms of the same shape, or None for 0.
        eps: Added to the variance, which is the biased one. Default: 1e-5.

    Raises:
        ValueError: If the shapes do not fit.
        TypeError: If the input is not of floating-point type.
        RuntimeError: If the data types differ.

    Example:
        >>> import distgrad as dg
        >>> layer_norm(dg.tensor([[1.0, 3.0]]), (2,), eps=0.0)
        tensor([[-1.,  1.]])

    Reference:
        J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", arXiv:1607.06450 (2016).
    """
    check_floating("layer_norm", input)
    shape = tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ValueError(
            f"layer_norm: the last axes of the input must have the lengths {shape}, got an input "
            f"of shape {input.shape}"
        )
    _check_same("layer_norm", input, {"weight": weight, "bias": bias}, shape)
    return _normalized(input, weight, bias, tuple(range(input.ndim))[-len(shape) :], eps)[0]


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
        ValueError: If the shapes do not fit, if a channel has only one value in training, or if
            there are no running statistics outside it.
        TypeError: If the input is not of floating-point type.
        RuntimeError: If the data types differ.

    Example:
        >>> import distgrad as dg
        >>> batch_norm(dg.tensor([[1.0], [3.0]]), None, None, training=True, eps=0.0)
        tensor([[-1.],
                [ 1.]])

    Reference:
        S. Ioffe, C. Szegedy, "Batch normalization: accelerating deep network training by reducing
        internal covariate shift", ICML 2015.
    """
    running = (running_mean, running_var)
    if training:
        result, *statistics = normalize_batch(input, weight, bias, eps)
        for estimate, observed in zip(running, statistics, strict=True):
            if estimate is not None:
                follow(estimate, observed, momentum)
        return result
    if running_mean is None or running_var is None:
        raise ValueError("batch_norm: outside training running_mean and running_var are needed")
    _check_batch(input, weight, bias, *running)
    scale = 1 / (running_var + eps).sqrt()
    scale = scale if weight is None else weight * scale
    shift = -running_mean * scale
    shift = shift if bias is None else bias + shift
    beside = (input.shape[1], *(1,) * (input.ndim - 2))
    return input * scale.reshape(beside) + shift.reshape(beside)


def normalize_batch(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Array, Array]:
    """Normalise by the batch; return its mean and unbiased variance too, arrays (C,).

    Raises:
        ValueError: If the shapes do not fit, or if a channel has only one value.
        TypeError: If the input is not of floating-point type.
        RuntimeError: If the data types differ.
    """
    _check_batch(input, weight, bias)
    channels = input.shape[1]
    count = input.numel() // max(channels, 1)
    if count < 2:
        raise ValueError(
            "batch_norm: in training a channel needs more than one value, got an input of shape "
            f"{input.shape}; use larger micro-batches, or eval()"
        )
    result, (mean, variance) = _normalized(input, weight, bias, (0, *range(2, input.ndim)), eps)
    return result, mean.reshape(-1), variance.reshape(-1) * (count / (count - 1))


def follow(running: Tensor, observed: Array, momentum: float) -> None:
    """Move a running statistic towards an observed one, in place, by a part of the way."""
    with no_grad():
        running.mul_(1 - momentum).add_(observed, alpha=momentum)


def _normalized(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, axes: tuple[int, ...], eps: float
) -> tuple[Tensor, tuple[Array, Array]]:
    statistics = moments(array_namespace(input.data), input.data, axes)
    result = apply(ops.normalize, input, weight, bias, axes=axes, eps=eps, statistics=statistics)
    return result, statistics


def _check_batch(input: Tensor, *per_channel: Tensor | None) -> None:
    check_floating("batch_norm", input)
    if input.ndim < 2:
        raise ValueError(
            f"batch_norm: the input must have shape (N, C) or (N, C, ...), got {input.shape}"
        )
    names = ("weight", "bias", "running_mean", "running_var")
    _check_same("batch_norm", input, dict(zip(names, per_channel, strict=False)), input.shape[1:2])


def _check_same(
    function: str, input: Tensor, others: Mapping[str, Tensor | None], shape: tuple[int, ...]
) -> None:
    for name, tensor in others.items():
        if tensor is not None and tensor.shape != shape:
            raise ValueError(
                f"{function}: for an input of shape {input.shape} the {name} must have shape "
                f"{shape}, got {tensor.shape}"
            )
        if tensor is not None and tensor.dtype != input.dtype:
            raise RuntimeError(
                f"{function}: all must have one data type, but the input has {input.dtype} and the "
                f"{name} {tensor.dtype}; convert with .to()"
            )
