"""Rectifiers."""

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn import functional
from distgrad.nn.in_place import InPlace
from distgrad.nn.init import constant_
from distgrad.nn.module import Module
from distgrad.nn.parameter import Parameter
from distgrad.tensor import Tensor

__all__ = ["CELU", "ELU", "SELU", "LeakyReLU", "PReLU", "RReLU", "ReLU"]


class ReLU(InPlace):
    """max(0, x) of each element.

    Args:
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ReLU()(dg.tensor([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements, with 0 in place of negative ones."""
        return functional.relu(input, self.inplace)


class LeakyReLU(InPlace):
    """The elements, with negative ones times a slope.

    Args:
        negative_slope: The slope. Default: 0.01.
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.LeakyReLU(0.5)(dg.tensor([-2.0, 3.0])).tolist()
        [-1.0, 3.0]
    """

    _arguments = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements, the negative ones scaled."""
        return functional.leaky_relu(input, self.negative_slope, self.inplace)


class PReLU(Module):
    """The elements, with negative ones times a slope that is learned.

    Args:
        num_parameters: 1, or the number of channels, which are the second axis. Default: 1.
        init: The slopes at first. Default: 0.25.
        dtype: Data type of the slopes. Default: float32.

    Shapes:
        weight [num_parameters]; input [N, C, ...], output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.PReLU()(dg.tensor([-2.0, 3.0])).tolist()
        [-0.5, 3.0]

    Reference:
        K. He et al., "Delving deep into rectifiers", ICCV 2015.
    """

    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(np.empty(num_parameters, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Give all slopes their initial value."""
        constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements, the negative ones scaled."""
        return functional.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """Return the number of slopes."""
        return f"num_parameters={self.num_parameters}"


class RReLU(InPlace):
    """The elements, with negative ones times a slope that is drawn for each in training.

    Args:
        lower: The least slope. Default: 1/8.
        upper: The greatest slope; in evaluation mode all are the mean of both. Default: 1/3.
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.RReLU(0.25, 0.75).eval()(dg.tensor([-2.0, 3.0])).tolist()
        [-1.0, 3.0]

    Reference:
        B. Xu et al., "Empirical evaluation of rectified activations in convolutional network",
        arXiv:1505.00853 (2015).
    """

    _arguments = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements, the negative ones scaled."""
        return functional.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class ELU(InPlace):
    """The elements, with ``alpha * (exp(x) - 1)`` in place of negative ones.

    Args:
        alpha: How far below 0 the result may be. Default: 1.
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.ELU()(dg.tensor([-100.0, 2.0])).tolist()
        [-1.0, 2.0]
    """

    _arguments = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements, those below 0 bounded."""
        return functional.elu(input, self.alpha, self.inplace)


class CELU(InPlace):
    """The elements, with ``alpha * (exp(x / alpha) - 1)`` in place of negative ones.

    Args:
        alpha: How far below 0 the result may be. Default: 1.
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.CELU(3.0)(dg.tensor([-100.0, 2.0])).tolist()
        [-3.0, 2.0]
    """

    _arguments = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements, those below 0 bounded."""
        return functional.celu(input, self.alpha, self.inplace)


class SELU(InPlace):
    """`ELU` with an alpha and a scale that keep mean 0 and variance 1.

    Args:
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.SELU()(dg.tensor([0.0, 1.0]))
        tensor([0.0000, 1.0507])

    Reference:
        G. Klambauer et al., "Self-normalizing neural networks", NIPS 2017.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the elements, scaled, those below 0 bounded."""
        return functional.selu(input, self.inplace)
