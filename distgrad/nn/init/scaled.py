"""Draws whose spread follows the fans of a weight, so that signals neither grow nor fade."""

import math

import numpy as np

from distgrad.nn.init.distributions import normal_, uniform_
from distgrad.nn.init.fans import calculate_gain, fan_in_and_fan_out
from distgrad.tensor import Tensor

__all__ = ["kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_"]


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
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(
    tensor: Tensor, gain: float = 1.0, generator: np.random.Generator | None = None
) -> Tensor:
    """Fill a weight normally, with standard deviation gain * sqrt(2 / (fan_in + fan_out)).

    Paper, arguments and errors are those of `xavier_uniform_`.
    """
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


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
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
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


def _xavier_std(tensor: Tensor, gain: float) -> float:
    fans = sum(fan_in_and_fan_out(tensor))
    return gain * math.sqrt(2.0 / fans) if fans else 0.0


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fans = dict(zip(("fan_in", "fan_out"), fan_in_and_fan_out(tensor), strict=True))
    if mode.lower() not in fans:
        raise ValueError(f"Mode {mode} not supported, please use one of fan_in, fan_out")
    fan = fans[mode.lower()]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0
