"""Layers that change the shape only, or nothing."""

from collections.abc import Sequence
from typing import Any

from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["Flatten", "Identity", "Unflatten"]


class Flatten(Module):
    """Makes the axes from ``start_dim`` to ``end_dim`` one.

    Args:
        start_dim: The first axis. Default: 1, which keeps the axis of samples.
        end_dim: The last axis, included. Default: -1.

    Shapes:
        input [N, A, B, ...], output [N, A * B * ...] with the defaults.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Flatten()(dg.zeros(4, 2, 3)).shape
        (4, 6)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` in the new shape."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Return the axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Makes several axes of one.

    Args:
        dim: The axis.
        unflattened_size: The lengths that it becomes; one of them may be -1 for what is left.

    Shapes:
        input [..., A * B * ..., ...], output [..., A, B, ..., ...].

    Raises:
        TypeError: If the lengths are not a sequence of integers.
        RuntimeError: In a call, if they do not fit.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Unflatten(1, (2, -1))(dg.zeros(4, 6)).shape
        (4, 2, 3)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        lengths = isinstance(unflattened_size, tuple | list)
        if not lengths or not all(isinstance(length, int) for length in unflattened_size):
            raise TypeError(
                f"unflattened_size must be a tuple of integers, got {unflattened_size!r}"
            )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input`` in the new shape."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Identity(Module):
    """Returns its input; stands where a model's layer is left out.

    Args:
        *args: Anything, as the layer that it replaces takes; not used.
        **kwargs: The same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Identity(64)(dg.ones(2)).tolist()
        [1.0, 1.0]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """Return ``input``."""
        return input
