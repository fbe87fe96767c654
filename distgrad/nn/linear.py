"""`Linear`: an affine map of the last axis."""

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn import functional
from distgrad.nn.affine import Affine
from distgrad.tensor import Tensor

__all__ = ["Linear"]


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
