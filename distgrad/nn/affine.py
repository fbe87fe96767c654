"""What `Linear` and the convolutions share: a weight, a bias if wanted, and how they begin."""

import math

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn import init
from distgrad.nn.module import Module
from distgrad.nn.parameter import Parameter

__all__ = ["Affine"]


class Affine(Module):
    """Base of the layers that multiply with a weight and add a bias for each output.

    Both begin uniform in +-1/sqrt(fan in), as in PyTorch.

    Args:
        shape: Of the weight: [out, in, ...]; axes behind the second are a kernel's.
        bias: Whether there is a bias.
        dtype: Data type of both.
        outputs: Length of the bias. Default: that of the weight's first axis.
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, shape: tuple[int, ...], bias: bool, dtype: DTypeLike, outputs: int | None = None
    ) -> None:
        super().__init__()
        self.weight = Parameter(np.empty(shape, dtype))
        if bias:
            self.bias = Parameter(np.empty(shape[0] if outputs is None else outputs, dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values: first the weight, then the bias."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5.0))
        if self.bias is not None:
            fan_in, _ = init.fan_in_and_fan_out(self.weight)
            bound = 1.0 / math.sqrt(fan_in) if fan_in else 0.0
            init.uniform_(self.bias, -bound, bound)
