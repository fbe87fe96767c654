"""Layers that normalise each sample by itself."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from distgrad.creation import ones, zeros
from distgrad.nn import functional
from distgrad.nn.channel_norm import reset_affine
from distgrad.nn.module import Module
from distgrad.nn.parameter import Parameter
from distgrad.tensor import Tensor

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


def _shape(lengths: int | Sequence[int]) -> tuple[int, ...]:
    return tuple(lengths) if isinstance(lengths, Sequence) else (lengths,)


class LayerNorm(Module):
    """Normalises the last axes of each sample; see `distgrad.nn.functional.layer_norm`.

    Args:
        normalized_shape: The lengths of those axes, or the length of the last one.
        eps: Added to the variance. Default: 1e-5.
        elementwise_affine: Whether there is a weight, at first 1. Default: True.
        bias: Whether there is a bias too, at first 0. Default: True.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        input ``[*, *normalized_shape]``, output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.LayerNorm(2, eps=0.0)(dg.tensor([1.0, 3.0])).tolist()
        [-1.0, 1.0]
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        if elementwise_affine:
            self.weight = Parameter(ones(self.normalized_shape, dtype=dtype))
        else:
            self.register_parameter("weight", None)
        if elementwise_affine and bias:
            self.bias = Parameter(zeros(self.normalized_shape, dtype=dtype))
        else:
            self.register_parameter("bias", None)

    def reset_parameters(self) -> None:
        """Give the parameters their initial values."""
        reset_affine(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input."""
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """Normalises the last axes of each sample by their mean square; see `functional.rms_norm`.

    Args:
        normalized_shape: The lengths of those axes, or the length of the last one.
        eps: Added to the mean square; None for the distance from 1 to the next number of the
            data type that is computed in: float32, but for float64. Default: None.
        elementwise_affine: Whether there is a weight, at first 1. Default: True.
        dtype: Data type of the weight. Default: float32.

    Shapes:
        input ``[*, *normalized_shape]``, output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.RMSNorm(2)(dg.tensor([1.0, 7.0]))
        tensor([0.2000, 1.4000], grad_fn=<multiply>)
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = Parameter(ones(self.normalized_shape, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def reset_parameters(self) -> None:
        """Give the weight its initial values."""
        reset_affine(self.weight, None)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised input."""
        return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Normalises each group of channels of each sample; see `distgrad.nn.functional.group_norm`.

    Args:
        num_groups: Number of groups, a divisor of ``num_channels``.
        num_channels: Number of channels C.
        eps: Added to the variance. Default: 1e-5.
        affine: Whether there is a weight for each channel, at first 1. Default: True.
        dtype: Data type of the parameters. Default: float32.
        bias: Whether there is a bias too, at first 0. Default: True.

    Shapes:
        weight, bias [C]; input [N, C, ...], output the same.

    Raises:
        ValueError: If the groups do not divide the channels; in a call, if the input has another
            number of channels, or a group only one value.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.GroupNorm(2, 4, eps=0.0)(dg.tensor([[1.0, 3.0, 10.0, 14.0]])).tolist()
        [[-1.0, 1.0, -1.0, 1.0]]
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: DTypeLike = np.float32,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"num_groups must divide num_channels, got {num_groups} and {num_channels}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        weight = Parameter(ones(num_channels, dtype=dtype)) if affine else None
        self.register_parameter("weight", weight)
        shift = Parameter(zeros(num_channels, dtype=dtype)) if affine and bias else None
        self.register_parameter("bias", shift)

    def reset_parameters(self) -> None:
        """Give the parameters their initial values."""
        reset_affine(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input."""
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """Divides by neighbours in other channels; see `distgrad.nn.functional.local_response_norm`.

    Args:
        size: Number of channels that count as neighbours.
        alpha: Factor of their mean square. Default: 1e-4.
        beta: The exponent. Default: 0.75.
        k: What is added. Default: 1.

    Shapes:
        input [N, C, ...], output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.LocalResponseNorm(2)(dg.randn(1, 4, 3, 3)).shape
        (1, 4, 3, 3)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input."""
        given = (self.size, self.alpha, self.beta, self.k)
        return functional.local_response_norm(input, *given)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
