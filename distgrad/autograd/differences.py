"""Derivatives by central differences, and the same ones by backward passes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from distgrad.autograd.gradients import grad
from distgrad.backend import Stream, array_namespace, device_name, philox, to_device, to_host
from distgrad.backend.dtypes import is_floating

__all__ = ["Slope", "analytic_jacobian", "as_tuple", "numeric_jacobian", "slopes"]


def as_tuple(values: Any) -> tuple[Any, ...]:
    """Return what may be one value or a sequence of them as a tuple."""
    return tuple(values) if isinstance(values, list | tuple) else (values,)


def _values(func: Callable[..., Any], inputs: Sequence[Any]) -> list[Any]:
    return [to_host(output.data).reshape(-1).copy() for output in as_tuple(func(*inputs))]


def _quotient(above: Any, below: Any, eps: float) -> Any:
    if not is_floating(above.dtype):
        return np.zeros(above.shape)  # whole numbers and truth values have no slope
    return (above - below) / (2 * eps)


def numeric_jacobian(
    func: Callable[..., Any], inputs: Sequence[Any], tensor: Any, eps: float
) -> list[Any]:
    """Return, for each output, an array (elements of the input, elements of the output).

    It is one of NumPy, as all that is compared here.
    """
    array = tensor.data
    rows = []
    for i in np.ndindex(array.shape):
        middle = array[i].copy()
        array[i] = middle + eps
        above = _values(func, inputs)
        array[i] = middle - eps
        below = _values(func, inputs)
        array[i] = middle
        rows.append([_quotient(a, b, eps) for a, b in zip(above, below, strict=True)])
    sizes = [len(output) for output in _values(func, inputs)]
    return [
        np.stack([row[k] for row in rows]) if rows else np.zeros((0, size))
        for k, size in enumerate(sizes)
    ]


def analytic_jacobian(output: Any, tensor: Any) -> Any:
    """Return an array (elements of the input, elements of the output), a pass for each output."""
    xp = array_namespace(output.data)
    columns = np.zeros((tensor.data.size, output.data.size), output.data.dtype)
    for j in range(output.data.size if output.requires_grad else 0):
        above = xp.zeros(output.data.size, output.data.dtype)
        above[j] = 1
        gradient = _gradient(output, tensor, above)
        if gradient is not None:
            columns[:, j] = to_host(gradient).reshape(-1)
    return columns


def _gradient(output: Any, tensor: Any, above: Any) -> Any:
    """Return the gradient for one that enters from above, both as arrays."""
    (gradient,) = grad(
        output,
        tensor,
        type(output).of(above.reshape(output.shape)),
        retain_graph=True,
        allow_unused=True,
    )
    return None if gradient is None else gradient.data


class Slope(NamedTuple):
    """How fast a weighted sum of one output changes along a direction of one input."""

    output: int
    analytic: Any
    numeric: Any
    weight: Any
    """The sum of the absolute factors by which the Jacobian's entries enter it."""


def slopes(
    func: Callable[..., Any],
    inputs: Sequence[Any],
    position: int,
    outputs: Sequence[tuple[int, Any]],
    eps: float,
) -> Iterator[Slope]:
    """Yield the slope of each output along one direction of the input at ``position``."""
    tensor = inputs[position]
    array, middle = tensor.data, tensor.data.copy()
    direction = _direction(tensor, position, 0)
    step = eps * to_device(direction, device_name(array))
    array[...] = middle + step
    above = _values(func, inputs)
    array[...] = middle - step
    below = _values(func, inputs)
    array[...] = middle
    for number, output in outputs:
        weights = _direction(output, position, number + 1).reshape(-1)
        entering = to_device(weights, device_name(output.data))
        gradient = _gradient(output, tensor, entering) if output.requires_grad else None
        yield Slope(
            number,
            np.sum(direction * (0 if gradient is None else to_host(gradient))),
            (weights * _quotient(above[number], below[number], eps)).sum(),
            abs(direction).sum() * abs(weights).sum(),
        )


def _direction(tensor: Any, position: int, number: int) -> Any:
    """Return random numbers of length 1 together, in the tensor's shape: always the same ones."""
    drawn = philox(0, Stream.DATA, position, number).standard_normal(tensor.shape)
    length = np.sqrt((drawn * drawn).sum()) or 1.0
    return np.asarray(drawn / length, dtype=tensor.data.dtype)
