"""Rectifiers: what is positive passes, and each has its own way with the rest.

With ``inplace=True`` they change their input itself.
"""

from functools import partial

from distgrad import functional, ops
from distgrad.autograd import next_generator
from distgrad.backend import array_namespace, device_name, to_device
from distgrad.nn.functional.checks import check_floating
from distgrad.nn.functional.in_place import replaced
from distgrad.tensor import Tensor, apply

__all__ = [
    "celu",
    "elu",
    "leaky_relu",
    "prelu",
    "relu",
    "rrelu",
    "selu",
]

# G. Klambauer et al., "Self-normalizing neural networks", NIPS 2017.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return the elements, with 0 in place of negative ones, whose slope 0 has as well.

    Example:
        >>> import distgrad as dg
        >>> relu(dg.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    return replaced(input, functional.relu) if inplace else functional.relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return the elements, with negative ones times ``negative_slope``, which 0 has as well.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> leaky_relu(dg.tensor([-2.0, 3.0]), 0.5)
        tensor([-1.,  3.])
    """
    if inplace:
        return replaced(input, partial(leaky_relu, negative_slope=negative_slope))
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


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """Return the elements, with each one that is not positive times a slope drawn for it.

    Args:
        input: Any shape.
        lower: The least slope.
        upper: The greatest slope.
        training: Draw the slopes, as a call of the random scope; outside training, which is the
            default, all are the mean of both bounds.
        inplace: Change ``input`` itself. Default: False.

    Raises:
        ValueError: If the lower bound is above the upper one.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> rrelu(dg.tensor([-2.0, 3.0]), lower=0.25, upper=0.75)
        tensor([-1.,  3.])

    Reference:
        B. Xu et al., "Empirical evaluation of rectified activations in convolutional network",
        arXiv:1505.00853 (2015).
    """
    if not lower <= upper:
        raise ValueError(f"rrelu: lower must not be above upper, got {lower} and {upper}")
    if inplace:
        return replaced(input, partial(rrelu, lower=lower, upper=upper, training=training))
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    check_floating("rrelu", input)
    drawn = next_generator().uniform(lower, upper, input.shape)
    slopes = to_device(drawn, device_name(input.data))
    xp = array_namespace(input.data)
    return apply(ops.multiply, input, xp.where(input.data > 0, 1, slopes).astype(input.dtype))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
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
    if inplace:
        return replaced(input, partial(elu, alpha=alpha))
    check_floating("elu", input)
    return apply(ops.elu, input, alpha=alpha)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
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
    if inplace:
        return replaced(input, partial(celu, alpha=alpha))
    check_floating("celu", input)
    if alpha == 0:
        raise RuntimeError("celu: alpha must not be 0, since the elements are divided by it")
    return apply(ops.elu, input, alpha=alpha, inner=1 / alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
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
    if inplace:
        return replaced(input, selu)
    check_floating("selu", input)
    return apply(ops.elu, input, alpha=_SELU_ALPHA, scale=_SELU_SCALE)
