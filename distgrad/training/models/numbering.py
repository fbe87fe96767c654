"""Layers under numbers that stay, whatever is one layer or two: parameters are named by them."""

from collections import OrderedDict
from collections.abc import Sequence

from distgrad import nn

__all__ = ["numbered"]


def numbered(layers: Sequence[nn.Module | None]) -> nn.Sequential:
    """Return layers one behind the other, each named by its place; None takes a number only.

    Example:
        >>> numbered([nn.LinearReLU(3, 2), None, nn.Linear(2, 1)])
        Sequential(
          (0): LinearReLU(in_features=3, out_features=2, bias=True)
          (2): Linear(in_features=2, out_features=1, bias=True)
        )
    """
    places = enumerate(layers)
    return nn.Sequential(OrderedDict((str(n), layer) for n, layer in places if layer is not None))
