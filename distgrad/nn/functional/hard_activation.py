"""Activations made of straight pieces.

With ``inplace=True`` they change their input itself.
"""

from functools import partial

from distgrad import ops
from distgrad.backend.dtypes import is_floating
from distgrad.nn.functional.checks import check_floating
from distgrad.nn.functional.in_place import replaced
from distgrad.tensor import Tensor, apply

__all__ = [
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "relu6",
    "softshrink",
    "threshold",
]


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return the elements bounded by 0 and 6; the gradient at both is 0.

    Example:
        >>> import distgrad as dg
        >>> relu6(dg.tensor([-1.0, 3.0, 9.0]))
        tensor([0., 3., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Return the elements bounded by two numbers; the gradient at both is 0.

    Args:
        input: Any shape.
        min_val: The lower bound.
        max_val: The upper bound.

    Raises:
        ValueError: If the lower bound is above the upper one.

    Example:
        >>> import distgrad as dg
        >>> hardtanh(dg.tensor([-2.0, 0.5, 2.0]))
        tensor([-1.0000,  0.5000,  1.0000])
    """
    if inplace:
        return replaced(input, partial(hardtanh, min_val=min_val, max_val=max_val))
    if min_val > max_val:
        raise ValueError(
            f"hardtanh: min_val must not be above max_val, got {min_val} and {max_val}"
        )
    if not is_floating(input.dtype):
        min_val, max_val = int(min_val), int(max_val)
    return apply(ops.hardtanh, input._number("hardtanh"), low=min_val, high=max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return a line from 0 at -3 to 1 at 3, bounded by both.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> hardsigmoid(dg.tensor([-5.0, 0.0, 5.0]))
        tensor([0.0000, 0.5000, 1.0000])
    """
    if inplace:
        return replaced(input, hardsigmoid)
    check_floating("hardsigmoid", input)
    return apply(ops.hardsigmoid, input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return ``input * hardsigmoid(input)``.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> hardswish(dg.tensor([-5.0, 1.5, 5.0]))
        tensor([-0.0000, 1.1250, 5.0000])

    Reference:
        A. Howard et al., "Searching for MobileNetV3", ICCV 2019.
    """
    if inplace:
        return replaced(input, hardswish)
    check_floating("hardswish", input)
    return apply(ops.hardswish, input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return the elements, with 0 in place of those from ``-lambd`` to ``lambd``.

    Raises:
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> hardshrink(dg.tensor([-2.0, 0.5, 2.0]))
        tensor([-2.,  0.,  2.])
    """
    check_floating("hardshrink", input)
    return apply(ops.hardshrink, input, lambd=lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return the elements moved towards 0 by ``lambd``, not beyond it.

    Raises:
        RuntimeError: If ``lambd`` is negative.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> softshrink(dg.tensor([-2.0, 0.5, 2.0]))
        tensor([-1.5000,  0.0000,  1.5000])
    """
    check_floating("softshrink", input)
    if lambd < 0:
        raise RuntimeError(f"softshrink: lambd must be 0 or more, got {lambd}")
    return apply(ops.softshrink, input, lambd=lambd)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Return the elements above ``threshold``, and ``value`` in place of the others.

    Example:
        >>> import distgrad as dg
        >>> threshold(dg.tensor([-1.0, 0.5, 2.0]), 0.5, -3.0)
        tensor([-3., -3.,  2.])
    """
    if not is_floating(input.dtype):
        threshold, value = int(threshold), int(value)
    given = {"threshold": threshold, "value": value}
    if inplace:
        return replaced(input, lambda x: apply(ops.threshold, x, **given))
    return apply(ops.threshold, input, **given)
