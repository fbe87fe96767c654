"""`mlp`: a multi-layer perceptron."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from distgrad import nn
from distgrad.training.models.numbering import numbered

__all__ = ["mlp"]


def mlp(
    sizes: Annotated[Sequence[PositiveInt], Field(min_length=2)],
    activation: Literal["relu", "tanh"] = "relu",
    dropout: Annotated[float, Field(ge=0, le=1)] = 0.0,
) -> nn.Sequential:
    """Return a multi-layer perceptron: linear layers with an activation between them.

    Its input has shape (N, sizes[0]) and its output (N, sizes[-1]).

    Args:
        sizes: Numbers of features, from the input over the hidden layers to the output.
        activation: What follows each layer but the last: "relu" or "tanh".
        dropout: Probability with which an activation is set to 0 in training.

    Example:
        >>> mlp([64, 32, 10], dropout=0.1)
        Sequential(
          (0): LinearReLU(in_features=64, out_features=32, bias=True)
          (2): Dropout(p=0.1, inplace=False)
          (3): Linear(in_features=32, out_features=10, bias=True)
        )
    """
    layers: list[nn.Module | None] = []
    *hidden, output = pairwise(sizes)
    for pair in hidden:
        both = activation == "relu"  # one layer, at the first of two numbers
        layers += [nn.LinearReLU(*pair), None] if both else [nn.Linear(*pair), nn.Tanh()]
        layers.append(nn.Dropout(dropout))
    layers.append(nn.Linear(*output))
    return numbered(layers)
