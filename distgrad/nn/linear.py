"""`Linear`, an affine map of the last axis, and with `ReLU`; `Bilinear`, of two inputs."""

import math

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn import functional, init
from distgrad.nn.affine import Affine
from distgrad.tensor import Tensor

__all__ = ["Bilinear", "Linear", "LinearReLU"]


class Linear(Affine):
    """``input @ weight.T + bias``.

    Weight and bias begin uniform in +-1/sqrt(in_features), as in PyTorch.

    Args:
        in_features: Length of the input's last axis.
        out_features: Length of the output's last axis.
        bias: Whether a bias is added. Default: True.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        weight [out_features, in_features], bias [out_features];
        input [..., in_features], output [..., out_features].

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.Linear(3, 2)
        >>> layer
        Linear(in_features=3, out_features=2, bias=True)
        >>> layer(dg.ones(5, 3)).shape
        (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__((out_features, in_features), bias, dtype)
        self.in_features = in_features
        self.out_features = out_features

    def forward(self, input: Tensor) -> Tensor:
        """Return the map of ``input``."""
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class LinearReLU(Linear):
    """`Linear` and `ReLU` in one operation, with the same parameters and the same bits.

    Arguments and shapes are those of `Linear`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.LinearReLU(3, 2)(dg.ones(5, 3)).min() >= 0
        tensor(True)
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the map of ``input``, with 0 in place of what is negative."""
        return functional.linear_relu(input, self.weight, self.bias)


class Bilinear(Affine):
    """``input1 @ weight[k] @ input2`` for each output k, plus the bias.

    Weight and bias begin uniform in +-1/sqrt(in1_features), as in PyTorch.

    Args:
        in1_features: Length of the first input's last axis.
        in2_features: Length of the second input's last axis.
        out_features: Length of the output's last axis.
        bias: Whether a bias is added. Default: True.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        weight [out_features, in1_features, in2_features], bias [out_features];
        inputs [..., in1_features] and [..., in2_features], output [..., out_features].

    Raises:
        ValueError: If ``in1_features`` is not positive.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Bilinear(3, 4, 2)(dg.ones(5, 3), dg.ones(5, 4)).shape
        (5, 2)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if in1_features < 1:
            raise ValueError(f"Bilinear: in1_features must be positive, got {in1_features}")
        super().__init__((out_features, in1_features, in2_features), bias, dtype)
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features

    def reset_parameters(self) -> None:
        """Draw new initial values: first the weight, then the bias."""
        bound = 1.0 / math.sqrt(self.weight.shape[1])
        for parameter in (self.weight, self.bias):
            if parameter is not None:
                init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """Return the map of both inputs."""
        return functional.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
