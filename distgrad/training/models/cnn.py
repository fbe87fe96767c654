"""`cnn`: a convolutional network for small images."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import Field, PositiveInt

from distgrad import nn
from distgrad.training.facts import FromRun
from distgrad.training.models.numbering import numbered

__all__ = ["cnn"]


def cnn(
    channels: Annotated[Sequence[PositiveInt], Field(min_length=1)] = (32, 64),
    hidden: PositiveInt = 128,
    batch_norm: bool = False,
    dropout: Annotated[float, Field(ge=0, le=1)] = 0.0,
    classes: Annotated[PositiveInt | None, FromRun] = None,
    image: Annotated[tuple[PositiveInt, PositiveInt, PositiveInt] | None, FromRun] = None,
) -> nn.Sequential:
    """Return a network of 3 x 3 convolutions, each followed by pooling, and two linear layers.

    Its input has shape (N, *image) and its output (N, classes).

    Args:
        channels: Output channels of each convolution, which keeps height and width; the pooling
            behind it halves them.
        hidden: Features between the linear layers.
        batch_norm: Whether each convolution is followed by batch normalisation.
        dropout: Probability with which one of the features is set to 0 in training.
        classes: Number of outputs. Default: the number of classes in the data.
        image: Channels, rows and columns of the input. Default: those of the data.

    Raises:
        ValueError: If the image is too small to be halved so often, or if ``classes`` or ``image``
            is missing.

    Example:
        >>> cnn([4, 8], hidden=16, classes=10, image=(1, 28, 28))
        Sequential(
          (0): Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
          (1): ReLU()
          (2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
          (3): Conv2d(4, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
          (4): ReLU()
          (5): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
          (6): Flatten(start_dim=1, end_dim=-1)
          (7): LinearReLU(in_features=392, out_features=16, bias=True)
          (9): Dropout(p=0.0, inplace=False)
          (10): Linear(in_features=16, out_features=10, bias=True)
        )
    """
    if classes is None or image is None:
        raise ValueError("needs classes and image: numbers of classes, and channels, rows, columns")
    rows, columns = (length // 2 ** len(channels) for length in image[1:])
    if not rows or not columns:
        raise ValueError(
            f"{len(channels)} poolings halve {image[1]} x {image[2]} pixels to {rows} x {columns}; "
            "use fewer channels, or images of at least "
            f"{2 ** len(channels)} x {2 ** len(channels)} pixels"
        )
    layers: list[nn.Module | None] = []
    for in_channels, out_channels in pairwise((image[0], *channels)):
        layers.append(nn.Conv2d(in_channels, out_channels, 3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(out_channels))
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.LinearReLU(channels[-1] * rows * columns, hidden), None]
    return numbered([*layers, nn.Dropout(dropout), nn.Linear(hidden, classes)])
