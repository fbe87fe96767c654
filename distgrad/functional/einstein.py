"""Sums of products by Einstein's convention."""

from string import ascii_lowercase, ascii_uppercase
from typing import Any

from distgrad import ops
from distgrad.creation import as_tensor
from distgrad.tensor import Tensor, apply

__all__ = ["einsum"]

_LETTERS = ascii_uppercase + ascii_lowercase


def _letters(axes: Any) -> str:
    return "".join("..." if axis is ... else _LETTERS[axis] for axis in axes)


def _with_letters(given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Return the equation of operands that are each followed by the numbers of their axes."""
    end = len(given) // 2 * 2
    equation = ",".join(map(_letters, given[1:end:2]))
    return equation + "".join("->" + _letters(axes) for axes in given[end:]), given[:end:2]


def einsum(equation: Any, *operands: Any) -> Tensor:
    """Return a sum of products by Einstein's convention.

    Args:
        equation: For each operand the letters of its axes, and behind ``->`` those of the result.
            An ellipsis stands for further axes, which broadcast. A letter twice in one operand
            takes its diagonal. Without ``->`` the result has the ellipsis, then the letters that
            occur once, sorted.
        *operands: Tensors or arrays of one data type; or one sequence of them. Without an equation:
            each operand is followed by the numbers of its axes, 0 to 51, and those of the result
            come last.

    Raises:
        ValueError: If the equation does not fit the operands.
        RuntimeError: If their data types differ.

    Example:
        >>> a = as_tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> einsum("ij,jk->ik", a, a)
        tensor([[ 7., 10.],
                [15., 22.]])
        >>> einsum("ii", a), einsum(a, [0, 0])
        (tensor(5.), tensor(5.))
    """
    if not isinstance(equation, str):
        equation, operands = _with_letters((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    output = equation.partition("->")[2].replace(".", "").replace(" ", "")
    if len(set(output)) != len(output):
        raise ValueError(f"einsum: the result in {equation!r} names an index twice")
    tensors = [as_tensor(x) for x in operands]
    for x in tensors:
        tensors[0]._one_type("einsum", x)
    return apply(ops.einsum, *tensors, subscripts=equation)
