"""Tensors of random numbers, each from a distribution of its own."""

from typing import Any

import numpy as np

from distgrad import ops
from distgrad.backend import device_name
from distgrad.creation.data import as_tensor
from distgrad.creation.random import floating_type
from distgrad.tensor import Tensor, apply, draws
from distgrad.tensor.device import placed
from distgrad.tensor.operands import raw
from distgrad.tensor.values import lengths

__all__ = ["bernoulli", "multinomial", "normal"]


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw from normal distributions.

    Args:
        mean: A number, or a Tensor with one for each draw.
        std: The standard deviation, the same.
        size: The shape; given if neither of the two is a Tensor, and only then.
        generator: As in `rand`.
        dtype: The data type. Default: that of the Tensors, or float32.
        device: Where it lies. Default: where the Tensors lie, or ``"cpu"``.
        requires_grad: As in `Tensor`.

    Raises:
        RuntimeError: If a standard deviation is negative, or if the data type is not a
            floating-point one.

    Example:
        >>> normal(0.0, 1.0, (2, 3)).shape
        (2, 3)
        >>> normal(as_tensor([1.0, 2.0]), 0.0)
        tensor([1., 2.])
    """
    given = [raw(value) for value in (mean, std) if hasattr(value, "dtype")]
    if bool(given) == (size is not None):
        raise TypeError("normal() takes size if mean and std are numbers, and only then")
    if given and dtype is None:
        dtype = given[0].dtype
    wanted = floating_type("normal", dtype)
    shape = np.broadcast_shapes(*(x.shape for x in given)) if given else lengths((size,))
    rng = draws.generator_or_next(generator)
    values = draws.normal(rng, shape, raw(mean), raw(std), wanted)
    place = device_name(given[0]) if given and device is None else device
    result = Tensor(placed(values, place), requires_grad)
    for value in (mean, std):
        if isinstance(value, Tensor) and value.requires_grad:
            # The gradient through a draw is 0, not missing.
            result = apply(ops.where, np.True_, result, value.to(wanted))
    return result


def bernoulli(input: Any, p: float | None = None, *, generator: Any = None) -> Tensor:
    """Draw 1 with the chance that each element gives, and else 0.

    The gradient through a draw is 0.

    Args:
        input: A floating-point Tensor of probabilities; with ``p`` any Tensor, of this shape.
        p: The chance of all.
        generator: As in `rand`.

    Raises:
        RuntimeError: If a probability is not from 0 to 1.

    Example:
        >>> bernoulli(as_tensor([0.0, 1.0]))
        tensor([0., 1.])
    """
    return as_tensor(input).bernoulli(p, generator=generator)


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Tensor:
    """Draw places of the last axis, with chances in proportion to the elements.

    Args:
        input: Weights of shape [places] or [rows, places]; they need not sum up to 1.
        num_samples: How many are drawn of each row.
        replacement: Whether a place may be drawn twice.
        generator: As in `rand`.

    Returns:
        An int64 Tensor of shape [num_samples] or [rows, num_samples].

    Raises:
        RuntimeError: If a weight is negative or not finite, a row has none that is larger than 0,
            or if there are fewer places than samples.

    Example:
        >>> multinomial(as_tensor([0.0, 3.0, 0.0]), 2, replacement=True)
        tensor([1, 1])
    """
    return as_tensor(input).multinomial(num_samples, replacement, generator=generator)
