"""Gradient clipping, by the norm of all gradients together or element by element.

The norm is made of partial sums, one for each parameter and each block of 64K elements, in float64:
blocks of the parameter in C order, or of a flat array in which parameters lie. They are added by
`math.fsum`, which rounds once: the result is that of exact arithmetic on the partial sums, in any
order and on any Python. So the bits of the norm depend on the gradients and the cut into blocks
alone: not on where a block lies in memory, nor on which rank summed it.
"""

import math
from collections.abc import Iterable
from itertools import chain, repeat
from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace, array_namespace, to_host
from distgrad.backend.kernels import kernel
from distgrad.flat import BLOCK
from distgrad.tensor import Tensor

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "combine_power_sums",
    "get_total_norm",
    "power_sums",
]

Tensors = Tensor | Iterable[Tensor]


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale the gradients down, in place, so that their norm as one vector is at most ``max_norm``.

    They are multiplied by ``max_norm / (norm + 1e-6)`` if that is below 1. Parameters without a
    gradient are left out.

    Args:
        parameters: The parameters, or one of them.
        max_norm: The largest norm allowed.
        norm_type: Order of the norm, above 0; ``math.inf`` for the largest absolute value.
        error_if_nonfinite: Raise where the norm is nan or infinite, instead of scaling by it.

    Returns:
        The norm before clipping, a float64 scalar; 0 if there are no gradients.

    Raises:
        RuntimeError: If the norm is not finite and ``error_if_nonfinite``; nothing was scaled.
        ValueError: If ``norm_type`` is not above 0.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.zeros(2))
        >>> p.grad = dg.tensor([3.0, 4.0])
        >>> dg.nn.utils.clip_grad_norm_(p, max_norm=1.0).item()
        5.0
        >>> p.grad
        tensor([0.6000, 0.8000])
    """
    parameters = _listed(parameters)
    gradients = [p.grad for p in parameters if p.grad is not None]
    total_norm = get_total_norm(gradients, norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total_norm)
    return total_norm


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Return the norm of the tensors as one vector, a float64 scalar.

    Args:
        tensors: The tensors, or one of them.
        norm_type: Order of the norm, above 0; ``math.inf`` for the largest absolute value.
        error_if_nonfinite: Raise where the norm is nan or infinite.

    Raises:
        RuntimeError: If the norm is not finite and ``error_if_nonfinite``.
        ValueError: If ``norm_type`` is not above 0.
    """
    norm_type = float(norm_type)  # "inf" is one in PyTorch
    sums = power_sums([tensor.data for tensor in _listed(tensors)], norm_type)
    total = combine_power_sums(sums, norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"the total norm of order {norm_type} is {total}, so the gradients cannot be clipped; "
            "pass error_if_nonfinite=False to scale them by it all the same"
        )
    return Tensor(np.asarray(total))


def clip_grads_with_norm_(parameters: Tensors, max_norm: float, total_norm: Tensor | float) -> None:
    """Scale the gradients down, in place, by a norm that is known already.

    Args:
        parameters: The parameters, or one of them.
        max_norm: The largest norm allowed.
        total_norm: The norm of all gradients, of which these may be a part.
    """
    coefficient = max_norm / (float(total_norm) + 1e-6)
    if coefficient >= 1.0:
        return
    # Reached with nan too: a norm that is not a number must not pass for a small one.
    with np.errstate(all="ignore"):
        for gradient in _gradients(parameters):
            gradient.data *= coefficient
            gradient.bump_version()


def clip_grad_value_(parameters: Tensors, clip_value: float) -> None:
    """Limit each element of the gradients, in place, to the range +-``clip_value``.

    Args:
        parameters: The parameters, or one of them.
        clip_value: The largest absolute value allowed.

    Example:
        >>> import distgrad as dg
        >>> p = dg.nn.Parameter(dg.zeros(2))
        >>> p.grad = dg.tensor([-3.0, 0.5])
        >>> dg.nn.utils.clip_grad_value_(p, 1.0)
        >>> p.grad
        tensor([-1.0000,  0.5000])
    """
    for gradient in _gradients(parameters):
        array = gradient.data
        array_namespace(array).clip(array, -clip_value, clip_value, out=array)
        gradient.bump_version()


def power_sums(
    arrays: Iterable[Array], norm_type: float = 2.0, offsets: Iterable[int] = repeat(0)
) -> list[float]:
    """Return the sums of ``abs(x) ** norm_type`` of each block of each array, in order.

    For an infinite ``norm_type`` the largest ``abs(x)`` stands in place of the sum.
    `combine_power_sums` makes the norm of them.

    Args:
        arrays: Their elements are taken in C order.
        norm_type: Order of the norm, above 0.
        offsets: Where each array begins in a flat array, whose blocks end at multiples of 64K. So
            an array and its parts at multiples of 64K have the same sums. Default: 0 for each.

    Example:
        >>> [power_sums([np.ones(100_000)]), power_sums([np.ones(100_000)], offsets=[40_000])]
        [[65536.0, 34464.0], [25536.0, 65536.0, 8928.0]]
    """
    if not norm_type > 0:
        raise ValueError(f"norm_type must be above 0, got {norm_type}")
    scratch = None
    sums: list[Any] = []
    with np.errstate(all="ignore"):
        for array, offset in zip(arrays, offsets, strict=False):
            if not array.size:
                continue
            flat, xp = array.reshape(-1), array_namespace(array)
            if scratch is None:
                scratch = xp.empty(BLOCK)
            first = BLOCK - offset % BLOCK
            sums.append(block_power_sums(xp, flat, scratch, first=first, norm_type=norm_type))
    return _values(sums)


def _values(sums: list[Any]) -> list[float]:
    """Return sums as numbers; those of a GPU are read all at once, because it is waited for."""
    xp = array_namespace(*sums[:1])
    return list(map(float, chain(*sums) if xp is np else to_host(xp.concatenate(sums))))


def combine_power_sums(sums: Iterable[float], norm_type: float = 2.0) -> float:
    """Return the norm that the partial sums of `power_sums` make up; 0 if there are none."""
    sums = list(sums)
    if norm_type == math.inf:
        return float(np.max(sums, initial=0.0))
    try:
        total = math.fsum(sums)
        return math.sqrt(total) if norm_type == 2.0 else float(total ** (1.0 / norm_type))
    except OverflowError:  # the sum of finite numbers, where IEEE arithmetic would say infinity
        return math.inf


@kernel
def block_power_sums(
    xp: Namespace, flat: Array, values: Array, /, first: int, norm_type: float
) -> Any:
    """Return the sums of the blocks of an array, of which the first ends at ``first``.

    On a GPU they are an array there. ``values``, float64, as long as a block, is overwritten.
    """
    blocks = [flat[max(end - BLOCK, 0) : end] for end in range(first, flat.size + BLOCK, BLOCK)]
    sums = [power_sum(xp, block, values[: block.size], norm_type=norm_type) for block in blocks]
    return sums if xp is np else xp.stack(sums)


@kernel
def power_sum(xp: Namespace, block: Array, values: Array, /, norm_type: float) -> Array:
    """Return the sum of one block, a scalar; ``values``, float64, is overwritten.

    NumPy's pairwise sum and not a BLAS dot product, whose bits depend on its number of threads.
    """
    values[...] = block
    if norm_type == 2.0:
        xp.multiply(values, values, out=values)
        return values.sum()
    xp.absolute(values, out=values)
    if norm_type == math.inf:
        return values.max()
    if norm_type != 1.0:
        xp.power(values, norm_type, out=values)
    return values.sum()


def _gradients(parameters: Tensors) -> list[Tensor]:
    return [p.grad for p in _listed(parameters) if p.grad is not None]


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)
