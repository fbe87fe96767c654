"""`ResNet`: a residual network for small images."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import Field, PositiveInt

import distgrad.nn.functional as F
from distgrad import nn
from distgrad.nn import init
from distgrad.tensor import Tensor
from distgrad.training.facts import FromRun

__all__ = ["ResNet"]


class ResNet(nn.Module):
    """Scores for the classes of images, by residual blocks of two 3 x 3 convolutions.

    A convolution comes first, then for each number of channels as many blocks as asked for, the
    first of which halves height and width (but not that of the first number); the mean over all
    pixels, and a linear layer. Every convolution is followed by batch normalisation. This is the
    network for CIFAR-10 in K. He et al., "Deep residual learning for image recognition", CVPR 2016,
    with 1 x 1 convolutions where a block changes the shape, and initial values as in K. He et al.,
    "Delving deep into rectifiers", ICCV 2015.

    Args:
        channels: Of each stage.
        blocks: In each stage.
        classes: Number of outputs. Default: the number of classes in the data.
        image: Channels, rows and columns of the input. Default: those of the data.

    Shapes:
        input ``[N, *image]``, output [N, classes].

    Raises:
        ValueError: If ``classes`` or ``image`` is missing.

    Example:
        >>> import distgrad as dg
        >>> model = ResNet([4, 8], classes=10, image=(1, 28, 28))
        >>> model(dg.rand(2, 1, 28, 28)).shape
        (2, 10)
    """

    def __init__(
        self,
        channels: Annotated[Sequence[PositiveInt], Field(min_length=1)] = (16, 32, 64),
        blocks: PositiveInt = 1,
        classes: Annotated[PositiveInt | None, FromRun] = None,
        image: Annotated[tuple[PositiveInt, PositiveInt, PositiveInt] | None, FromRun] = None,
    ) -> None:
        super().__init__()
        if classes is None or image is None:
            raise ValueError(
                "needs classes and image: numbers of classes, and channels, rows, columns"
            )
        self.stem = nn.Sequential(*_convolution(image[0], channels[0], 3, 1), nn.ReLU())
        stages: list[nn.Module] = []
        for stage, (before, features) in enumerate(pairwise((channels[0], *channels))):
            stages.append(Block(before, features, stride=2 if stage else 1))
            stages += [Block(features, features, stride=1) for _ in range(blocks - 1)]
        self.blocks = nn.Sequential(*stages)
        self.head = nn.Linear(channels[-1], classes)
        for parameter in self.parameters():
            if parameter.ndim == 4:
                init.kaiming_normal_(parameter, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores of the classes for each image."""
        features = self.blocks(self.stem(images))
        output: Tensor = self.head(features.mean((2, 3)))
        return output


class Block(nn.Module):
    """Two convolutions, added to what they are given.

    Args:
        before: Channels of the input.
        features: Channels of the output.
        stride: What height and width are divided by.

    Shapes:
        input [N, before, H, W], output [N, features, ceil(H / stride), ceil(W / stride)].
    """

    def __init__(self, before: int, features: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *_convolution(before, features, 3, stride),
            nn.ReLU(),
            *_convolution(features, features, 3, 1),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or before != features:
            self.shortcut = nn.Sequential(*_convolution(before, features, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        """Return what the block makes of ``x``."""
        return F.relu(self.branch(x) + self.shortcut(x))


def _convolution(before: int, features: int, size: int, stride: int) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(before, features, size, stride, padding=size // 2, bias=False)
    return convolution, nn.BatchNorm2d(features)
