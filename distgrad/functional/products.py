"""Products of vectors, matrices and arrays of any rank."""

from typing import Any

from distgrad import ops
from distgrad.creation import as_tensor
from distgrad.tensor import Tensor, apply, promoted

__all__ = [
    "dot",
    "einsum",
    "matmul",
]


def dot(input: Tensor, other: Tensor) -> Tensor:
    """Return the inner product of two vectors.

    Raises:
        RuntimeError: If one of them is not a vector.
    """
    return as_tensor(input).dot(as_tensor(other))


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Return the matrix product, by NumPy's rules for vectors and leading axes."""
    return as_tensor(input) @ as_tensor(other)


def einsum(equation: str, *operands: Any) -> Tensor:
    """Return a sum of products by Einstein's convention.

    Args:
        equation: For each operand the letters of its axes, and behind ``->`` those of the result.
            An ellipsis stands for further axes, which broadcast. A letter twice in one operand
            takes its diagonal. Without ``->`` the result has the ellipsis, then the letters that
            occur once, sorted.
        *operands: Tensors or arrays; or one sequence of them.

    Raises:
        ValueError: If the equation does not fit the operands.

    Example:
        >>> a = as_tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> einsum("ij,jk->ik", a, a)
        tensor([[ 7., 10.],
                [15., 22.]])
        >>> einsum("ii", a)
        tensor(5.)
    """
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    output = equation.partition("->")[2].replace(".", "").replace(" ", "")
    if len(set(output)) != len(output):
        raise ValueError(f"einsum: the result in {equation!r} names an index twice")
    tensors = promoted(*(as_tensor(x) for x in operands))
    return apply(ops.einsum, *tensors, subscripts=equation)
