"""Initial values of parameters, written in place; names and formulas are PyTorch's.

Every call draws from a generator of its own, keyed by the random scope: `distgrad.manual_seed`
starts the sequence anew.
"""

import math
from typing import Any

import numpy as np

from distgrad.autograd import next_generator
from distgrad.backend import array_namespace
from distgrad.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "fan_in_and_fan_out",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_GAINS = {
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4.0,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor that keeps a signal's variance through a nonlinearity.

    Args:
        nonlinearity: One of "linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu".
        param: The slope of leaky_relu for negative inputs. Default: 0.01.

    Raises:
        ValueError: If the nonlinearity is not one of those.

    Example:
        >>> calculate_gain("relu") == 2**0.5
        True
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}; use one of {known}")
    return _GAINS[nonlinearity]


def fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs an output has, and how many outputs an input has.

    Args:
        tensor: A weight of shape [out, in, ...]; axes behind the second are a kernel's.

    Raises:
        ValueError: If the tensor has fewer than 2 axes.
    """
    if tensor.ndim < 2:
        raise ValueError(
            f"fan in and fan out need a tensor of at least 2 axes, got shape {tensor.shape}"
        )
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: np.random.Generator | None = None
) -> Tensor:
    """Fill a tensor with draws from the uniform distribution on [a, b).

    The draws are made in float64 and then rounded, so a model has the same initial values in
    every precision, up to rounding.

    Args:
        tensor: What is filled, in place.
        a: The lower bound.
        b: The upper bound.
        generator: Where the draws come from. Default: the next generator of the random scope.

    Returns:
        The tensor itself.

    Example:
        >>> import distgrad as dg
        >>> w = dg.nn.init.uniform_(dg.zeros(3, 5), -1.0, 1.0)
        >>> bool((abs(w) <= 1).all())
        True
    """
    generator = next_generator() if generator is None else generator
    return _filled(tensor, generator.uniform(a, b, tensor.shape))


def normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Fill a tensor with draws from the normal distribution.

    Args:
        tensor: What is filled, in place; the draws are made in float64 and then rounded.
        mean: Of the distribution.
        std: Its standard deviation.
        generator: Where the draws come from. Default: the next generator of the random scope.

    Returns:
        The tensor itself.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.init.normal_(dg.zeros(3, 5), std=0.02).shape
        (3, 5)
    """
    generator = next_generator() if generator is None else generator
    return _filled(tensor, generator.normal(mean, std, tensor.shape))


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: np.random.Generator | None = None
) -> Tensor:
    """Fill a weight from the uniform distribution on +-gain * sqrt(6 / (fan_in + fan_out)).

    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.

    Args:
        tensor: What is filled, in place, of shape [out, in, ...].
        gain: See `calculate_gain`. Default: 1.
        generator: Where the draws come from. Default: the next generator of the random scope.

    Returns:
        The tensor itself.

    Raises:
        ValueError: For fewer than 2 axes.
    """
    bound = gain * math.sqrt(6.0 / sum(fan_in_and_fan_out(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(
    tensor: Tensor, gain: float = 1.0, generator: np.random.Generator | None = None
) -> Tensor:
    """Fill a weight normally, with standard deviation gain * sqrt(2 / (fan_in + fan_out)).

    Paper, arguments and errors are those of `xavier_uniform_`.
    """
    std = gain * math.sqrt(2.0 / sum(fan_in_and_fan_out(tensor)))
    return normal_(tensor, 0.0, std, generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Fill a weight from the uniform distribution on +-gain * sqrt(3 / fan).

    K. He et al., "Delving deep into rectifiers", ICCV 2015. A tensor without elements is left as
    it is.

    Args:
        tensor: What is filled, in place, of shape [out, in, ...].
        a: The slope for negative inputs, of "leaky_relu".
        mode: Whose variance is kept: "fan_in" the forward pass's, "fan_out" the backward pass's.
        nonlinearity: What follows the weight; see `calculate_gain`.
        generator: Where the draws come from. Default: the next generator of the random scope.

    Returns:
        The tensor itself.

    Raises:
        ValueError: If ``mode`` or ``nonlinearity`` is unknown, or for fewer than 2 axes.
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Fill a weight normally, with standard deviation gain / sqrt(fan).

    Paper, arguments and errors are those of `kaiming_uniform_`.
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fans = dict(zip(("fan_in", "fan_out"), fan_in_and_fan_out(tensor), strict=True))
    if mode not in fans:
        raise ValueError(f"Mode {mode} not supported, please use one of fan_in, fan_out")
    gain = calculate_gain(nonlinearity, a)
    return gain / math.sqrt(fans[mode]) if fans[mode] else 0.0


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill a tensor with one value, in place, and return it."""
    tensor.data[...] = val
    tensor.bump_version()
    return tensor


def zeros_(tensor: Tensor) -> Tensor:
    """Fill a tensor with 0, in place, and return it."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill a tensor with 1, in place, and return it."""
    return constant_(tensor, 1.0)


def _filled(tensor: Tensor, values: np.ndarray[Any, Any]) -> Tensor:
    tensor.data[...] = array_namespace(tensor.data).asarray(values)
    tensor.bump_version()
    return tensor
