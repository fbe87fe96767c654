"""Activations made of pieces."""

from distgrad import ops
from distgrad.backend.dtypes import is_floating
from distgrad.nn.functional.checks import check_floating
from distgrad.tensor import Tensor, apply

__all__ = [
    "celu",
    "elu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "prelu",
    "relu6",
    "selu",
    "softshrink",
    "threshold",
]

# G. Klambauer et al., "Self-normalizing neural networks", NIPS 2017.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return the elements, with negative ones times ``negative_slope``, which 0 has as well.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> leaky_relu(dg.tensor([-2.0, 3.0]), 0.5)
        tensor([-1.,  3.])
    """
    check_floating("leaky_relu", input)
    return apply(ops.leaky_relu, input, slope=negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return the elements, with negative ones times a weight that can be learned.

    Args:
        input: (N, C, ...), or fewer axes.
        weight: One number, or one for each of the C channels; of the input's data type.

    Raises:
        RuntimeError: If there are neither one nor C weights, or the data types differ.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> prelu(dg.tensor([[-2.0, -3.0]]), dg.tensor([0.5, 1.0]))
        tensor([[-1., -3.]])

    Reference:
        K. He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    check_floating("prelu", input)
    if weight.dtype != input.dtype:
        raise RuntimeError(
            f"prelu: input and weight must have one data type, got {input.dtype} and "
            f"{weight.dtype}; convert with .to()"
        )
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: the weight must have shape () or (C,), got {weight.shape}")
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if not input.ndim or weight.numel() != channels:
            raise RuntimeError(
                f"prelu: an input of shape {input.shape} takes 1 or {channels} weights, got "
                f"{weight.numel()}"
            )
        weight = weight.reshape(-1, *(1,) * (input.ndim - 2))
    elif weight.ndim > input.ndim:
        weight = weight.reshape(())
    return apply(ops.where, input > 0, input, input * weight)


def relu6(input: Tensor) -> Tensor:
    """Return the elements bounded by 0 and 6; the gradient at both is 0.

    Example:
        >>> import distgrad as dg
        >>> relu6(dg.tensor([-1.0, 3.0, 9.0]))
        tensor([0., 3., 6.])
    """
    return hardtanh(input, 0.0, 6.0)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Return the elements bounded by two numbers; the gradient at both is 0.

    Args:
        input: Any shape.
        min_val: The lower bound.
        max_val: The upper bound.

    Raises:
        ValueError: If the lower bound is above the upper one.

    Example:
        >>> import distgrad as dg
        >>> hardtanh(dg.tensor([-2.0, 0.5, 2.0]))
        tensor([-1. ,  0.5,  1. ])
    """
    if min_val > max_val:
        raise ValueError(
            f"hardtanh: min_val must not be above max_val, got {min_val} and {max_val}"
        )
    if not is_floating(input.dtype):
        min_val, max_val = int(min_val), int(max_val)
    return apply(ops.hardtanh, input._number("hardtanh"), low=min_val, high=max_val)


def threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    """Return the elements above ``threshold``, and ``value`` in place of the others.

    Example:
        >>> import distgrad as dg
        >>> threshold(dg.tensor([-1.0, 0.5, 2.0]), 0.5, -3.0)
        tensor([-3., -3.,  2.])
    """
    if not is_floating(input.dtype):
        threshold, value = int(threshold), int(value)
    return apply(ops.threshold, input, threshold=threshold, value=value)


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Return the elements, with ``alpha * (exp(x) - 1)`` in place of negative ones.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> elu(dg.tensor([-100.0, 2.0]))
        tensor([-1.,  2.])

    Reference:
        D. Clevert et al., "Fast and accurate deep network learning by exponential linear units",
        arXiv:1511.07289 (2015).
    """
    check_floating("elu", input)
    return apply(ops.elu, input, alpha=alpha)


def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Return the elements, with ``alpha * (exp(x / alpha) - 1)`` in place of negative ones.

    Raises:
        RuntimeError: If ``alpha`` is 0.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> celu(dg.tensor([-100.0, 2.0]), alpha=3.0)
        tensor([-3.,  2.])

    Reference:
        J. T. Barron, "Continuously differentiable exponential linear units", arXiv:1704.07483
        (2017).
    """
    check_floating("celu", input)
    if alpha == 0:
        raise RuntimeError("celu: alpha must not be 0, since the elements are divided by it")
    return apply(ops.elu, input, alpha=alpha, inner=1 / alpha)


def selu(input: Tensor) -> Tensor:
    """Return `elu` with an alpha and a scale that keep mean 0 and variance 1.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> selu(dg.tensor([-100.0, 1.0]))
        tensor([-1.7581,  1.0507])

    Reference:
        G. Klambauer et al., "Self-normalizing neural networks", NIPS 2017.
    """
    check_floating("selu", input)
    return apply(ops.elu, input, alpha=_SELU_ALPHA, scale=_SELU_SCALE)


def hardsigmoid(input: Tensor) -> Tensor:
    """Return a line from 0 at -3 to 1 at 3, bounded by both.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> hardsigmoid(dg.tensor([-5.0, 0.0, 5.0]))
        tensor([0. , 0.5, 1. ])
    """
    check_floating("hardsigmoid", input)
    return apply(ops.hardsigmoid, input)


def hardswish(input: Tensor) -> Tensor:
    """Return ``input * hardsigmoid(input)``.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> hardswish(dg.tensor([-5.0, 1.5, 5.0]))
        tensor([-0.   ,  1.125,  5.   ])

    Reference:
        A. Howard et al., "Searching for MobileNetV3", ICCV 2019.
    """
    check_floating("hardswish", input)
    return apply(ops.hardswish, input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return the elements, with 0 in place of those from ``-lambd`` to ``lambd``.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> hardshrink(dg.tensor([-2.0, 0.5, 2.0]))
        tensor([-2.,  0.,  2.])
    """
    check_floating("hardshrink", input)
    return apply(ops.hardshrink, input, lambd=lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return the elements moved towards 0 by ``lambd``, not beyond it.

    Raises:
        RuntimeError: If ``lambd`` is negative.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> softshrink(dg.tensor([-2.0, 0.5, 2.0]))
        tensor([-1.5,  0. ,  1.5])
    """
    check_floating("softshrink", input)
    if lambd < 0:
        raise RuntimeError(f"softshrink: lambd must be 0 or more, got {lambd}")
    return apply(ops.softshrink, input, lambd=lambd)
