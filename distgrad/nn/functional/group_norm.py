"""Normalisation of groups of channels, each sample for itself."""

import math

from distgrad.backend import Array
from distgrad.nn.functional.batch_norm import batch_norm, follow
from distgrad.nn.functional.checks import check_floating
from distgrad.nn.functional.norm import check_same, normalized, normalized_with_moments
from distgrad.tensor import Tensor

__all__ = ["group_norm", "instance_norm", "normalize_instances"]


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each group of channels of each sample, then scale and shift each channel.

    Args:
        input: (N, C) or (N, C, ...)
        num_groups: Number of groups, a divisor of C; the mean and the variance are taken over the
            C / num_groups channels of a group and all further axes.
        weight: Factors (C,), or None for 1.
        bias: Terms (C,), or None for 0.
        eps: Added to the variance, which is the biased one. Default: 1e-5.

    Raises:
        ValueError: If the batch has only one value.
        RuntimeError: If the shapes or the data types do not fit.
        TypeError: If the input is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> group_norm(dg.tensor([[1.0, 3.0, 10.0, 14.0]]), 2, eps=0.0)
        tensor([[-1.,  1., -1.,  1.]])

    Reference:
        Y. Wu, K. He, "Group normalization", ECCV 2018.
    """
    _check_channels("group_norm", input, weight, bias)
    channels = input.shape[1]
    if num_groups < 1 or channels % num_groups:
        raise RuntimeError(
            f"group_norm: num_groups must divide the {channels} channels of an input of shape "
            f"{input.shape}, got {num_groups}"
        )
    if input.numel() == num_groups:
        raise ValueError(
            f"group_norm: a group needs more than one value, got an input of shape {input.shape} "
            f"for num_groups={num_groups}"
        )
    groups = input.reshape(input.shape[0] * num_groups, _size(input) * channels // num_groups)
    result = normalized(groups, None, None, (1,), eps)
    return _scaled_and_shifted(result.reshape(input.shape), weight, bias)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel of each sample: ``(input - mean) / sqrt(var + eps) * weight + bias``.

    Args:
        input: (N, C, ...)
        running_mean: (C,), which follows the mean over the samples; taken as the mean where
            ``use_input_stats`` is false; or None.
        running_var: (C,); the same for the variance, which it follows as the unbiased one.
        weight: Factors (C,), or None for 1.
        bias: Terms (C,), or None for 0.
        use_input_stats: Normalise by the input's own mean and variance. Default: True.
        momentum: By how much of the way the running statistics move. Default: 0.1.
        eps: Added to the variance. Default: 1e-5.

    Raises:
        ValueError: If a channel has only one value, or there are no running statistics where they
            are needed.
        RuntimeError: If the shapes or the data types do not fit.
        TypeError: If the input is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> instance_norm(dg.tensor([[[1.0, 3.0]], [[10.0, 14.0]]]), eps=0.0)
        tensor([[[-1.,  1.]],
        <BLANKLINE>
                [[-1.,  1.]]])

    Reference:
        D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance normalization: the missing ingredient for
        fast stylization", arXiv:1607.08022 (2016).
    """
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ValueError(
                "instance_norm: running_mean and running_var are needed with use_input_stats=False"
            )
        return batch_norm(input, running_mean, running_var, weight, bias, eps=eps)
    result, *observed = normalize_instances(input, weight, bias, eps)
    if input.shape[0]:
        for running, statistic in zip((running_mean, running_var), observed, strict=True):
            if running is not None:
                follow(running, statistic, momentum)
    return result


def normalize_instances(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Array, Array]:
    """Normalise each instance; return means over the batch of means and of unbiased variances.

    Raises:
        ValueError: If a channel has only one value.
        RuntimeError: If the shapes or the data types do not fit.
        TypeError: If the input is not of floating-point type.
    """
    _check_channels("instance_norm", input, weight, bias)
    count = _size(input)
    if input.ndim < 3 or count == 1:
        raise ValueError(
            "instance_norm: a channel of a sample needs more than one value, got an input of shape "
            f"{input.shape}"
        )
    samples, channels = input.shape[:2]
    rows = input.reshape(samples * channels, count)
    result, (mean, variance) = normalized_with_moments(rows, None, None, (1,), eps)
    average = [s.reshape(samples, channels).sum(0) / max(samples, 1) for s in (mean, variance)]
    average[1] *= count / max(count - 1, 1)
    return _scaled_and_shifted(result.reshape(input.shape), weight, bias), average[0], average[1]


def _size(input: Tensor) -> int:
    """Number of values in a channel of a sample."""
    return math.prod(input.shape[2:])


def _check_channels(
    function: str, input: Tensor, weight: Tensor | None, bias: Tensor | None
) -> None:
    check_floating(function, input)
    if input.ndim < 2:
        raise RuntimeError(
            f"{function}: the input must have shape (N, C) or (N, C, ...), got {input.shape}"
        )
    check_same(function, input, {"weight": weight, "bias": bias}, input.shape[1:2])


def _scaled_and_shifted(input: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    beside = (-1, *(1,) * (input.ndim - 2))
    if weight is not None:
        input = input * weight.reshape(beside)
    return input if bias is None else input + bias.reshape(beside)
