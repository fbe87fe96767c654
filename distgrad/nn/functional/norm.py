"""Normalisation of each sample by its own mean and variance, or by its mean square."""

from collections.abc import Mapping, Sequence

import numpy as np

from distgrad import ops
from distgrad.backend import Array, array_namespace
from distgrad.backend.listening import beside
from distgrad.backend.quiet import quietly
from distgrad.nn.functional.checks import check_floating, in_single
from distgrad.ops.norm import moments
from distgrad.tensor import Tensor, apply

__all__ = [
    "check_same",
    "layer_norm",
    "normalized",
    "normalized_with_moments",
    "rms_norm",
]


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
    shape = _last_axes("layer_norm", input, normalized_shape)
    check_same("layer_norm", input, {"weight": weight, "bias": bias}, shape)
    return normalized(input, weight, bias, tuple(range(input.ndim))[-len(shape) :], eps)


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Normalise each sample by its mean square: ``input / sqrt(mean(input**2) + eps) * weight``.

    Args:
        input: ``(..., *normalized_shape)``
        normalized_shape: The lengths of the last axes, over which the mean is taken.
        weight: Factors of shape ``normalized_shape``, or None for 1.
        eps: Added to the mean square. Default: the distance from 1 to the next number of the data
            type that is computed in: float32, but for float64.

    Raises:
        ValueError: If the shapes do not fit.
        TypeError: If the input is not of floating-point type.
        RuntimeError: If the data types differ.

    Example:
        >>> import distgrad as dg
        >>> rms_norm(dg.tensor([[1.0, 7.0]]), (2,), eps=0.0)
        tensor([[0.2000, 1.4000]])

    Reference:
        B. Zhang, R. Sennrich, "Root mean square layer normalization", NeurIPS 2019.
    """
    shape = _last_axes("rms_norm", input, normalized_shape)
    check_same("rms_norm", input, {"weight": weight}, shape)
    single = in_single(input)
    eps = float(np.finfo(single.dtype).eps) if eps is None else eps
    axes = tuple(range(input.ndim))[-len(shape) :]
    if not input.is_cpu and ops.rms_normalize.forward.stands_in(array_namespace(input.data)):
        single = input  # such kernels compute in float32 at least
    result = apply(ops.rms_normalize, single, axes=axes, eps=eps).to(input.dtype)
    return result if weight is None else result * weight


def _last_axes(function: str, input: Tensor, normalized_shape: Sequence[int]) -> tuple[int, ...]:
    check_floating(function, input)
    shape = tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ValueError(
            f"{function}: the last axes of the input must have the lengths {shape}, got an input "
            f"of shape {input.shape}"
        )
    return shape


def normalized(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, axes: tuple[int, ...], eps: float
) -> Tensor:
    """Normalise over ``axes``, which are the last ones."""
    xp = array_namespace(input.data)
    if not moments.stands_in(xp) and ops.normalize.forward.stands_in(xp):
        # Such kernels find mean and variance as they read the input, in float32 at least.
        return apply(ops.normalize, input, weight, bias, axes=axes, eps=eps)
    return normalized_with_moments(input, weight, bias, axes, eps)[0]


def normalized_with_moments(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, axes: tuple[int, ...], eps: float
) -> tuple[Tensor, tuple[Array, Array]]:
    """Normalise over ``axes``; return the mean and the biased variance too, in float32 at least."""
    if input.dtype.itemsize == 2:
        factors, terms = (None if t is None else in_single(t) for t in (weight, bias))
        result, statistics = normalized_with_moments(in_single(input), factors, terms, axes, eps)
        return result.to(input.dtype), statistics
    with quietly():
        statistics = beside(moments, array_namespace(input.data), input.data, axes)
    result = apply(ops.normalize, input, weight, bias, axes=axes, eps=eps, statistics=statistics)
    return result, statistics


def check_same(
    function: str, input: Tensor, others: Mapping[str, Tensor | None], shape: tuple[int, ...]
) -> None:
    """Refuse parameters of another shape than ``shape``, or of another data type than the input."""
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
