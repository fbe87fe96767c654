"""What the variance of a signal depends on: the gain of a nonlinearity, the fans of a weight."""

import math

from distgrad.tensor import Tensor

__all__ = ["calculate_gain", "fan_in_and_fan_out"]

_LINEAR = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
)
_GAINS = {
    **dict.fromkeys(_LINEAR, 1.0),
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4.0,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor that keeps a signal's variance through a nonlinearity.

    Args:
        nonlinearity: One of "linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu", or the name
            of a convolution, such as "conv2d", which is linear.
        param: The slope of leaky_relu for negative inputs. Default: 0.01.

    Raises:
        ValueError: If the nonlinearity is not one of those, or the slope is not a number.

    Example:
        >>> calculate_gain("relu") == 2**0.5
        True
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"the slope of leaky_relu must be a number, got {slope!r}")
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
