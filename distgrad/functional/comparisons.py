"""Comparisons, predicates and logic, which have no gradient; and choices by them."""

from typing import Any

from distgrad import ops
from distgrad.backend import array_namespace
from distgrad.backend.listening import unrepeatable
from distgrad.creation import as_tensor
from distgrad.functional.arguments import one_tensor, tensor_first
from distgrad.tensor import Tensor, apply, promoted

__all__ = [
    "allclose",
    "eq",
    "equal",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "isclose",
    "isin",
    "le",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
    "not_equal",
    "where",
]


def eq(input: Any, other: Any) -> Tensor:
    """Tell where the elements of both are equal; shapes broadcast.

    Example:
        >>> eq(as_tensor([1, 2]), 2)
        tensor([False,  True])
    """
    return tensor_first("eq", input).eq(other)


def ne(input: Any, other: Any) -> Tensor:
    """Tell where the elements of both differ; shapes broadcast.

    Example:
        >>> ne(as_tensor([1, 2]), 2)
        tensor([ True, False])
    """
    return tensor_first("ne", input).ne(other)


not_equal = ne


def lt(input: Any, other: Any) -> Tensor:
    """Tell where ``input < other``; shapes broadcast.

    Example:
        >>> lt(as_tensor([1, 2]), 2)
        tensor([ True, False])
    """
    return tensor_first("lt", input).lt(other)


less = lt


def le(input: Any, other: Any) -> Tensor:
    """Tell where ``input <= other``; shapes broadcast.

    Example:
        >>> le(as_tensor([1, 2]), 1)
        tensor([ True, False])
    """
    return tensor_first("le", input).le(other)


less_equal = le


def gt(input: Any, other: Any) -> Tensor:
    """Tell where ``input > other``; shapes broadcast.

    Example:
        >>> gt(as_tensor([1, 2]), 1)
        tensor([False,  True])
    """
    return tensor_first("gt", input).gt(other)


greater = gt


def ge(input: Any, other: Any) -> Tensor:
    """Tell where ``input >= other``; shapes broadcast.

    Example:
        >>> ge(as_tensor([1, 2]), 2)
        tensor([False,  True])
    """
    return tensor_first("ge", input).ge(other)


greater_equal = ge


def isclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Tell where ``input`` and ``other`` differ by at most ``atol + rtol * abs(other)``.

    Args:
        input: The values.
        other: What they are compared with, of the same data type; shapes broadcast.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
        equal_nan: Whether nan is close to nan.

    Raises:
        RuntimeError: If the data types differ, or a tolerance is negative.

    Example:
        >>> isclose(as_tensor([1.0, 2.0]), as_tensor([1.000001, 2.1]))
        tensor([ True, False])
    """
    return tensor_first("isclose", input).isclose(other, rtol, atol, equal_nan)


def logical_and(input: Any, other: Any) -> Tensor:
    """Tell where both elements are true, that is, not 0.

    Example:
        >>> logical_and(as_tensor([0, 2]), as_tensor([True, True]))
        tensor([False,  True])
    """
    return tensor_first("logical_and", input).logical_and(other)


def logical_or(input: Any, other: Any) -> Tensor:
    """Tell where one of the two elements is true, or both.

    Example:
        >>> logical_or(as_tensor([0, 2]), as_tensor([False, True]))
        tensor([False,  True])
    """
    return tensor_first("logical_or", input).logical_or(other)


def logical_xor(input: Any, other: Any) -> Tensor:
    """Tell where exactly one of the two elements is true.

    Example:
        >>> logical_xor(as_tensor([0, 2]), as_tensor([True, True]))
        tensor([ True, False])
    """
    return tensor_first("logical_xor", input).logical_xor(other)


def logical_not(input: Any) -> Tensor:
    """Tell where the elements are false, that is, 0.

    Example:
        >>> logical_not(as_tensor([0, 2]))
        tensor([ True, False])
    """
    return as_tensor(input).logical_not()


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """Return the elements of ``input`` where ``condition`` is true, and of ``other`` elsewhere.

    With the condition alone: the indices where it is not 0, an int64 Tensor for each axis.

    Args:
        condition: A Tensor or array of bools.
        input: A Tensor, array or number.
        other: The same; all three broadcast.

    Raises:
        RuntimeError: If the condition does not consist of bools.
        TypeError: If only one of ``input`` and ``other`` is given.

    Example:
        >>> where(as_tensor([True, False]), as_tensor([1.0, 2.0]), 0)
        tensor([1., 0.])
        >>> where(as_tensor([0.5, 0.0, 2.0]))
        (tensor([0, 2]),)
    """
    if input is None and other is None:
        unrepeatable("how many elements where finds depends on values")
        array = as_tensor(condition).data
        xp = array_namespace(array)
        return tuple(Tensor(indices) for indices in xp.nonzero(xp.atleast_1d(array)))
    if input is None or other is None:
        raise TypeError("where() takes a condition alone, or with both input and other")
    input, other = promoted(input, other)
    return as_tensor(input).where(condition, other)


def isin(
    elements: Any,
    test_elements: Any,
    *,
    assume_unique: bool = False,  # noqa: ARG001 (the same is found in either case)
    invert: bool = False,
) -> Tensor:
    """Tell for each element whether it is one of others.

    Args:
        elements: The elements, of any shape; or a number.
        test_elements: The others, of any shape; or a number.
        assume_unique: Without effect: the same is found in either case.
        invert: Tell whether it is none of them.

    Raises:
        RuntimeError: If one of both holds truth values.
        TypeError: If both are numbers.

    Example:
        >>> isin(as_tensor([[1, 2], [3, 4]]), as_tensor([2, 3]))
        tensor([[False,  True],
                [ True, False]])
    """
    one_tensor("isin", elements, test_elements)
    x, values = promoted(as_tensor(elements), as_tensor(test_elements))
    if "b" in (as_tensor(elements).dtype.kind, as_tensor(test_elements).dtype.kind):
        raise RuntimeError("isin() takes numbers, not truth values; convert with .to()")
    return apply(ops.isin, x, values, invert=invert)


def equal(input: Any, other: Any) -> bool:
    """Tell whether two tensors have one shape and equal elements.

    Example:
        >>> x = as_tensor([1, 2])
        >>> equal(x, as_tensor([1.0, 2.0])), equal(x, x[:1])
        (True, False)
    """
    return as_tensor(input).equal(as_tensor(other))


def allclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Tell whether all elements are close; arguments and errors are those of `isclose`.

    Example:
        >>> allclose(as_tensor([1.0, 2.0]), as_tensor([1.000001, 2.0]))
        True
    """
    return tensor_first("allclose", input).allclose(other, rtol, atol, equal_nan)
