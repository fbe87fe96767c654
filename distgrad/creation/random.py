"""Tensors of random numbers from one range or one normal distribution."""

from typing import Any

import numpy as np

from distgrad.backend.dtypes import DEFAULT_FLOAT, DType, data_type, is_floating
from distgrad.creation.data import as_tensor
from distgrad.tensor import Tensor, draws
from distgrad.tensor.device import placed
from distgrad.tensor.values import fitting, lengths

__all__ = [
    "floating_type",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
]


def rand(
    *sizes: Any,
    size: Any = None,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw uniformly from [0, 1).

    Args:
        *sizes: The lengths of the axes, one by one or as a tuple.
        size: The same by name.
        generator: A `numpy.random.Generator`. Default: a call of the current random scope, which
            `distgrad.manual_seed` starts anew. A generator of your own goes on with each draw, so
            what it gives inside a micro-batch depends on which ones this rank ran before.
        dtype: The data type, floating-point. Default: float32.
        device: Where it lies. Default: ``"cpu"``.
        requires_grad: As in `Tensor`.

    Raises:
        RuntimeError: If a length is negative, or if the data type is not a floating-point one.

    Example:
        >>> rand(2, 3).shape
        (2, 3)
        >>> rand(2, generator=np.random.default_rng(0))
        tensor([0.6370, 0.2698])
    """
    wanted = floating_type("rand", dtype)
    shape = lengths(sizes, size)
    values = draws.uniform(draws.generator_or_next(generator), shape, wanted)
    return Tensor(placed(values, device), requires_grad)


def randn(
    *sizes: Any,
    size: Any = None,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw from the standard normal distribution; see `rand` for the arguments.

    Example:
        >>> randn(2, 3).dtype
        dtype('float32')
    """
    wanted = floating_type("randn", dtype)
    shape = lengths(sizes, size)
    rng = draws.generator_or_next(generator)
    return Tensor(placed(draws.normal(rng, shape, 0, 1, wanted), device), requires_grad)


def randint(
    low: Any = None,
    high: Any = None,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = np.int64,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw integers from ``low`` to ``high`` - 1, each as likely as the others.

    Args:
        low: The smallest one. Default: 0; it may be left out in front as well.
        high: The first one that is too large.
        size: The shape.
        generator: As in `rand`.
        dtype: The data type. Default: int64.
        device: Where it lies. Default: ``"cpu"``.
        requires_grad: As in `Tensor`.

    Raises:
        RuntimeError: If there are no such integers, or if the data type does not hold them.

    Example:
        >>> randint(5, (2, 3)).shape, randint(3, 5, (4,)).dtype
        ((2, 3), dtype('int64'))
    """
    if size is None:  # randint(high, size)
        low, high, size = 0, low, high
    elif high is None:  # randint(high, size=size)
        low, high = 0, low
    if high is None or size is None:
        raise TypeError("randint() takes low, high and size, or high and size")
    low = 0 if low is None else int(low)
    rng = draws.generator_or_next(generator)
    array = draws.whole(rng, low, int(high), lengths((size,)), data_type(dtype))
    return Tensor(placed(array, device), requires_grad)


def randperm(
    n: int,
    *,
    generator: Any = None,
    dtype: Any = np.int64,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw an order of the integers from 0 to ``n`` - 1; see `rand` for the other arguments.

    Raises:
        RuntimeError: If ``n`` is negative, or if the data type does not hold ``n - 1``.

    Example:
        >>> sorted(randperm(4).tolist())
        [0, 1, 2, 3]
    """
    (count,) = lengths((n,))
    wanted = data_type(dtype)
    fitting(max(count - 1, 0), wanted)
    order = draws.generator_or_next(generator).permutation(count)
    return Tensor(placed(order.astype(wanted, copy=False), device), requires_grad)


def rand_like(
    input: Any,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw uniformly from [0, 1), in the shape and data type of ``input``; see `rand`.

    Example:
        >>> rand_like(as_tensor([1.0, 2.0])).shape
        (2,)
    """
    model = as_tensor(input)
    return rand(
        model.shape,
        generator=generator,
        dtype=model.dtype if dtype is None else dtype,
        device=model.device if device is None else device,
        requires_grad=requires_grad,
    )


def randn_like(
    input: Any,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw from the standard normal distribution, in the shape and data type of ``input``.

    Example:
        >>> randn_like(as_tensor([1.0, 2.0])).shape
        (2,)
    """
    model = as_tensor(input)
    return randn(
        model.shape,
        generator=generator,
        dtype=model.dtype if dtype is None else dtype,
        device=model.device if device is None else device,
        requires_grad=requires_grad,
    )


def randint_like(
    input: Any,
    low: Any = None,
    high: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw integers from ``low`` to ``high`` - 1, in the shape and data type of ``input``.

    Example:
        >>> randint_like(as_tensor([1.0, 2.0]), 1)
        tensor([0., 0.])
    """
    model = as_tensor(input)
    return randint(
        low,
        high,
        model.shape,
        generator=generator,
        dtype=model.dtype if dtype is None else dtype,
        device=model.device if device is None else device,
        requires_grad=requires_grad,
    )


def floating_type(name: str, dtype: Any) -> DType:
    """Return the data type of draws that are not integers.

    Args:
        name: The function that draws.
        dtype: What was asked for. Default: float32.

    Raises:
        RuntimeError: If the data type is not a floating-point one.
    """
    wanted = DEFAULT_FLOAT if dtype is None else data_type(dtype)
    if not is_floating(wanted):
        raise RuntimeError(f"{name}() draws floating-point numbers, not {wanted}; use randint()")
    return wanted
