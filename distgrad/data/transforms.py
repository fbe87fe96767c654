"""Random changes of images, for training.

They take a batch and return one of the same kind, so that they stand in the loss function, on the
micro-batch: each call draws from the random scope, and inside ``DataParallel.accumulate`` the bits
depend on (seed, step, micro-batch, call) only. Each image of a batch has draws of its own, where
torchvision's transforms treat a batch as one image. Gradients do not flow through them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from distgrad.autograd import next_generator
from distgrad.backend import Array, array_namespace, device_name, to_device
from distgrad.data.checks import checked_integer
from distgrad.tensor import Tensor

__all__ = ["Compose", "RandomCrop", "RandomHorizontalFlip"]


class Compose:
    """Several transforms, one after the other.

    Args:
        transforms: Each maps a batch to a batch.

    Example:
        >>> import distgrad as dg
        >>> augment = Compose([RandomCrop(28, padding=2), RandomHorizontalFlip()])
        >>> augment(dg.rand(16, 1, 28, 28)).shape
        (16, 1, 28, 28)
    """

    def __init__(self, transforms: list[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, batch: Any) -> Any:
        """Return the batch after all of them."""
        for transform in self.transforms:
            batch = transform(batch)
        return batch


class _ImageTransform(ABC):
    """Changes the images of a batch: a Tensor, or the field ``x`` of a named tuple."""

    def __call__(self, batch: Any) -> Any:
        """Return the changed batch; the one given stays as it is."""
        if isinstance(batch, Tensor):
            return Tensor(self._changed(_images(batch)))
        if hasattr(batch, "_replace") and isinstance(getattr(batch, "x", None), Tensor):
            return batch._replace(x=self(batch.x))
        raise TypeError(
            f"{type(self).__name__} takes a Tensor of images, or a named tuple with such a field "
            f"x; got {type(batch).__name__}"
        )

    @abstractmethod
    def _changed(self, images: Array) -> Array: ...


class RandomHorizontalFlip(_ImageTransform):
    """Mirror each image, left for right, with probability ``p``.

    Args:
        p: From 0 to 1.

    Raises:
        ValueError: If ``p`` is not a probability; in a call, if images have not shape
            (N, C, H, W).

    Example:
        >>> import distgrad as dg
        >>> RandomHorizontalFlip(p=1.0)(dg.tensor([[[[1.0, 2.0, 3.0]]]])).tolist()
        [[[[3.0, 2.0, 1.0]]]]
    """

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"p must be a probability from 0 to 1, got {p}")
        self.p = p

    def _changed(self, images: Array) -> Array:
        xp = array_namespace(images)
        flipped = _beside(images, next_generator().random(len(images)) < self.p)
        return xp.where(flipped[:, None, None, None], images[..., ::-1], images)


class RandomCrop(_ImageTransform):
    """Cut a rectangle out of each image, at a random place.

    Args:
        size: Height and width of the rectangle; one number for a square.
        padding: Rows and columns of zeros that are added on each side before.

    Raises:
        ValueError: If a size is not positive or the padding negative; in a call, if the rectangle
            does not fit, or if images have not shape (N, C, H, W).

    Example:
        >>> import distgrad as dg
        >>> RandomCrop(3)(dg.rand(8, 1, 5, 5)).shape
        (8, 1, 3, 3)
        >>> image = dg.arange(9).reshape(1, 1, 3, 3)
        >>> bool((RandomCrop(3)(image) == image).all())
        True
    """

    def __init__(self, size: int | tuple[int, int], padding: int = 0) -> None:
        height, width = size if isinstance(size, tuple) else (size, size)
        self.height = checked_integer("size", height, minimum=1)
        self.width = checked_integer("size", width, minimum=1)
        self.padding = checked_integer("padding", padding, minimum=0)

    def _changed(self, images: Array) -> Array:
        n, _, height, width = images.shape
        height, width = height + 2 * self.padding, width + 2 * self.padding
        if self.height > height or self.width > width:
            raise ValueError(
                f"a crop of {self.height} x {self.width} does not fit into images of {height} x "
                f"{width} (padding {self.padding} on each side); use a smaller size or more padding"
            )
        xp = array_namespace(images)
        generator = next_generator()
        top = generator.integers(height - self.height + 1, size=(n, 1))
        left = generator.integers(width - self.width + 1, size=(n, 1))
        rows, columns = top + np.arange(self.height), left + np.arange(self.width)
        sides = (self.padding, self.padding)
        padded = xp.pad(images, ((0, 0), (0, 0), sides, sides))
        cut = padded[
            xp.arange(n)[:, None, None],
            :,
            _beside(images, rows)[:, :, None],
            _beside(images, columns)[:, None, :],
        ]
        return xp.moveaxis(cut, -1, 1)  # channels last in memory, as convolutions like it


def _images(batch: Tensor) -> Array:
    if batch.ndim != 4:
        raise ValueError(f"images must have shape (N, C, H, W), got {batch.shape}")
    return batch.data


def _beside(images: Array, drawn: Array) -> Array:
    """Return what was drawn on the host where the images lie."""
    return to_device(drawn, device_name(images))
