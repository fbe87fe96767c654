"""Functions of the elements; shapes broadcast."""

from typing import Any

from distgrad import ops
from distgrad.creation import as_tensor
from distgrad.ops import Op
from distgrad.tensor import Tensor, apply, binary, promoted

__all__ = [
    "abs",
    "add",
    "clamp",
    "div",
    "erf",
    "exp",
    "isfinite",
    "log",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "pow",
    "relu",
    "sigmoid",
    "sqrt",
    "sub",
    "tanh",
    "where",
]


def add(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """Return ``input + alpha * other``; shapes broadcast.

    Example:
        >>> add(as_tensor([1.0, 2.0]), 1)
        tensor([2., 3.])
    """
    return _binary(ops.add, as_tensor(input), _scaled(other, alpha))


def sub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """Return ``input - alpha * other``; shapes broadcast."""
    return _binary(ops.subtract, as_tensor(input), _scaled(other, alpha))


def _binary(op: Op, input: Any, other: Any, floating: bool = False) -> Tensor:
    result = binary(op, input, other, floating)
    if result is NotImplemented:
        kinds = f"{type(input).__name__} and {type(other).__name__}"
        raise TypeError(f"{op.name}() takes Tensors, arrays and numbers, got {kinds}")
    return result  # type: ignore[no-any-return]


def _scaled(other: Any, alpha: float) -> Any:
    return other if alpha == 1 else as_tensor(other) * alpha


def mul(input: Any, other: Any) -> Tensor:
    """Return ``input * other``; shapes broadcast."""
    return _binary(ops.multiply, as_tensor(input), other)


def div(input: Any, other: Any) -> Tensor:
    """Return ``input / other``; shapes broadcast; integers become float32."""
    return _binary(ops.divide, as_tensor(input), other, floating=True)


def neg(input: Any) -> Tensor:
    """Return ``-input``."""
    return -as_tensor(input)


def pow(input: Any, exponent: Any) -> Tensor:
    """Return ``input ** exponent``; shapes broadcast, and one of the two may be a number.

    Example:
        >>> pow(2, as_tensor([1.0, 3.0]))
        tensor([2., 8.])
    """
    base = input if isinstance(exponent, Tensor) else as_tensor(input)
    return _binary(ops.power, base, exponent)


def abs(input: Any) -> Tensor:
    """Return the absolute values; the gradient at 0 is 0."""
    return as_tensor(input).abs()


def exp(input: Any) -> Tensor:
    """Return e to the power of each element."""
    return as_tensor(input).exp()


def log(input: Any) -> Tensor:
    """Return the natural logarithms."""
    return as_tensor(input).log()


def sqrt(input: Any) -> Tensor:
    """Return the square roots."""
    return as_tensor(input).sqrt()


def tanh(input: Any) -> Tensor:
    """Return the hyperbolic tangents."""
    return as_tensor(input).tanh()


def relu(input: Any) -> Tensor:
    """Return the elements, with 0 in place of negative ones; the gradient at 0 is 0."""
    return as_tensor(input).relu()


def isfinite(input: Any) -> Tensor:
    """Tell for each element whether it is neither infinite nor nan."""
    return as_tensor(input).isfinite()


def sigmoid(input: Any) -> Tensor:
    """Return ``1 / (1 + exp(-input))``.

    Example:
        >>> sigmoid([0.0, 1000.0])
        tensor([0.5, 1. ])
    """
    return as_tensor(input).sigmoid()


def erf(input: Any) -> Tensor:
    """Return the error function, to about 3 units in the last place.

    Example:
        >>> erf([-10.0, 0.0, 0.5])
        tensor([-1.    ,  0.    ,  0.5205])

    Reference:
        W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
        Computation 23 (1969), 631-637.
    """
    return as_tensor(input).erf()


def maximum(input: Any, other: Any) -> Tensor:
    """Return the larger one of each two elements; equal ones share the gradient evenly.

    Example:
        >>> maximum([1.0, 5.0], 2.0)
        tensor([2., 5.])
    """
    return apply(ops.maximum, *promoted(as_tensor(input), other))


def minimum(input: Any, other: Any) -> Tensor:
    """Return the smaller one of each two elements; equal ones share the gradient evenly."""
    return apply(ops.minimum, *promoted(as_tensor(input), other))


def where(condition: Any, input: Any, other: Any) -> Tensor:
    """Return the elements of ``input`` where ``condition`` is true, and of ``other`` elsewhere.

    Args:
        condition: A Tensor or array of bools.
        input: A Tensor, array or number.
        other: The same; all three broadcast.

    Raises:
        RuntimeError: If the condition does not consist of bools.

    Example:
        >>> where(as_tensor([True, False]), as_tensor([1.0, 2.0]), 0)
        tensor([1., 0.])
    """
    input, other = promoted(input, other)
    return as_tensor(input).where(condition, other)


def clamp(input: Any, min: Any = None, max: Any = None) -> Tensor:
    """Return the elements with those outside ``min`` and ``max`` moved to these bounds.

    An element that meets a bound exactly lets its gradient through; where ``min`` is above ``max``
    the result is ``max``.

    Args:
        input: The values.
        min: The lower bound: a number, or values that broadcast; None for none.
        max: The upper bound, the same.

    Raises:
        ValueError: If both bounds are None.

    Example:
        >>> clamp([-3.0, 0.5, 3.0], min=-1, max=1)
        tensor([-1. ,  0.5,  1. ])
    """
    return as_tensor(input).clamp(min, max)
