"""`Dropout`: zeros at random while training."""

from distgrad.nn import functional
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["Dropout"]


class Dropout(Module):
    """Sets each element to 0 with probability ``p`` in training, and scales the rest by 1/(1-p).

    In evaluation mode it returns its input. Which elements are dropped is keyed by the random
    scope, so it does not depend on the rank that computes a micro-batch. G. E. Hinton et al.,
    "Improving neural networks by preventing co-adaptation of feature detectors", 2012.

    Args:
        p: The probability of a zero, from 0 to 1. Default: 0.5.

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

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` with elements dropped, in training mode."""
        return functional.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}"
