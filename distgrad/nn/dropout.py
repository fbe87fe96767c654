"""Dropout: values at random while training."""

from distgrad.nn import functional
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "DropoutAdd",
    "FeatureAlphaDropout",
]


class _Dropout(Module):
    """What all kinds have: a probability."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.p = _checked(p)
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Sets each element to 0 with probability ``p`` in training, and scales the rest by 1/(1-p).

    In evaluation mode it returns its input. Which elements are dropped is keyed by the random
    scope, so it does not depend on the rank that computes a micro-batch. G. E. Hinton et al.,
    "Improving neural networks by preventing co-adaptation of feature detectors", 2012.

    Args:
        p: The probability of a zero, from 0 to 1. Default: 0.5.
        inplace: Change the input itself. Default: False.

    Shapes:
        input [*], output [*], the same.

    Raises:
        ValueError: If ``p`` does not lie between 0 and 1.

    Example:
        >>> import distgrad as dg
        >>> drop = dg.nn.Dropout(0.5)
        >>> set(drop(dg.ones(100)).tolist()) == {0.0, 2.0}
        True
        >>> drop.eval()(dg.ones(2)).tolist()
        [1.0, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with elements dropped, in training mode."""
        return functional.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Sets whole channels of sequences to 0 in training, and scales the rest.

    Arguments are those of `Dropout`.

    Shapes:
        input [N, C, L] or [C, L], output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Dropout1d().eval()(dg.ones(1, 2, 3)).shape
        (1, 2, 3)
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with channels dropped, in training mode."""
        return functional.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Sets whole channels of images to 0 in training, and scales the rest.

    Arguments are those of `Dropout`.

    Shapes:
        input [N, C, H, W], output the same.

    Example:
        >>> import distgrad as dg
        >>> set(dg.nn.Dropout2d()(dg.ones(1, 9, 2, 2)).sum((2, 3)).tolist()[0]) <= {0.0, 8.0}
        True
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with channels dropped, in training mode."""
        return functional.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Sets whole channels of volumes to 0 in training, and scales the rest.

    Arguments are those of `Dropout`.

    Shapes:
        input [N, C, D, H, W] or [C, D, H, W], output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Dropout3d(1.0)(dg.ones(1, 1, 1, 1, 2)).tolist()
        [[[[[0.0, 0.0]]]]]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with channels dropped, in training mode."""
        return functional.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Sets elements to where SELU saturates in training, and keeps mean and variance.

    Arguments are those of `Dropout`.

    Shapes:
        input [*], output [*], the same.

    Example:
        >>> import distgrad as dg
        >>> len(set(dg.nn.AlphaDropout()(dg.zeros(100)).tolist()))
        2

    Reference:
        G. Klambauer et al., "Self-normalizing neural networks", NIPS 2017.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with elements replaced, in training mode."""
        return functional.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """Sets whole channels to where SELU saturates in training; see `AlphaDropout`.

    Arguments are those of `Dropout`.

    Shapes:
        input [N, C, ...], output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.FeatureAlphaDropout().eval()(dg.ones(2, 3)).shape
        (2, 3)
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with channels replaced, in training mode."""
        return functional.feature_alpha_dropout(input, self.p, self.training, self.inplace)


class DropoutAdd(Module):
    """Adds its first input, with elements dropped in training, to its second, in one operation.

    In float32 and float64 the bits are those of ``residual + Dropout(p)(input)``; in 16 bits the
    sum may be rounded once instead of twice.

    Args:
        p: The probability of a zero, from 0 to 1. Default: 0.5.

    Shapes:
        input [*], residual [*], the same; output [*], the same.

    Raises:
        ValueError: If ``p`` does not lie between 0 and 1.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.DropoutAdd(1.0)(dg.ones(2), dg.tensor([3.0, 4.0])).tolist()
        [3.0, 4.0]
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = _checked(p)

    def forward(self, input: Tensor, residual: Tensor) -> Tensor:
        """Return the sum."""
        return functional.dropout_add(input, residual, self.p, self.training)

    def extra_repr(self) -> str:
        """Return the argument."""
        return f"p={self.p}"


def _checked(p: float) -> float:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    return p
