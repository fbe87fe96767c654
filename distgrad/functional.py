"""The operations as functions, with PyTorch's names and arguments.

Where an argument is called ``input``, a Tensor, an array or a number may be passed.
"""

import math
from typing import Any

from distgrad import ops
from distgrad.creation import as_tensor
from distgrad.ops import Op
from distgrad.tensor import Tensor, apply, binary

__all__ = [
    "abs",
    "add",
    "all",
    "any",
    "argmax",
    "div",
    "dot",
    "exp",
    "flatten",
    "isfinite",
    "log",
    "matmul",
    "max",
    "mean",
    "mul",
    "neg",
    "norm",
    "pow",
    "relu",
    "reshape",
    "sqrt",
    "sub",
    "sum",
    "tanh",
    "transpose",
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


def sum(input: Any, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """Return the sum over all axes, or over ``dim``.

    Example:
        >>> sum(as_tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
        tensor([4., 6.])
    """
    return as_tensor(input).sum(dim, keepdim)


def mean(input: Any, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """Return the mean over all axes, or over ``dim``; of nothing it is nan."""
    return as_tensor(input).mean(dim, keepdim)


def max(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the largest element, or along ``dim`` the pair (values, indices).

    Equal largest elements share the gradient of the first form evenly; in the second the first of
    them gets it.

    Example:
        >>> max(as_tensor([[1.0, 5.0], [7.0, 3.0]]), dim=1).indices
        tensor([1, 0])
    """
    return as_tensor(input).max(dim, keepdim)


def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the place of the first largest element, among all or along ``dim``."""
    return as_tensor(input).argmax(dim, keepdim)


def all(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Tell whether every element is true."""
    return as_tensor(input).all(dim, keepdim)


def any(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Tell whether some element is true."""
    return as_tensor(input).any(dim, keepdim)


def norm(
    input: Any,
    p: float = 2,
    dim: int | tuple[int, ...] | None = None,
    keepdim: bool = False,
) -> Tensor:
    """Return the p-norm over all axes, or over ``dim``.

    Args:
        input: The values.
        p: The order: at least 1, ``inf`` for the largest absolute value.
        dim: The axes to reduce.
        keepdim: Keep them with length 1.

    Raises:
        ValueError: If ``p`` is below 1.

    Example:
        >>> norm(as_tensor([3.0, -4.0])), norm(as_tensor([3.0, -4.0]), p=1)
        (tensor(5.), tensor(7.))
    """
    if p < 1:
        raise ValueError(f"norm() is defined for p >= 1, got p={p}")
    if p == 2:
        return as_tensor(input).norm(dim, keepdim)
    lengths = as_tensor(input).abs()
    if p == 1:
        return lengths.sum(dim, keepdim)
    if p == math.inf:
        return apply(ops.amax, lengths, axis=dim, keepdims=keepdim)
    total = (lengths**p).sum(dim, keepdim)
    zero = total == 0  # the root is infinitely steep there: take the root of 1, and 1 off
    return (total + zero) ** (1 / p) - zero


def dot(input: Tensor, other: Tensor) -> Tensor:
    """Return the inner product of two vectors.

    Raises:
        RuntimeError: If one of them is not a vector.
    """
    return as_tensor(input).dot(as_tensor(other))


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Return the matrix product, by NumPy's rules for vectors and leading axes."""
    return as_tensor(input) @ as_tensor(other)


def reshape(input: Any, shape: tuple[int, ...]) -> Tensor:
    """Return the elements in another shape; one length may be -1."""
    return as_tensor(input).reshape(shape)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Return the tensor with the axes from start to end, both included, made one."""
    return as_tensor(input).flatten(start_dim, end_dim)


def transpose(input: Any, dim0: int, dim1: int) -> Tensor:
    """Return the tensor with two axes swapped."""
    return as_tensor(input).transpose(dim0, dim1)
