"""Compare gradients with central differences, as PyTorch's functions of the same names do."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distgrad.autograd.gradients import grad
from distgrad.backend import array_namespace

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A gradient differs from the numeric one."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Check the gradients of ``func`` at ``inputs`` against central differences.

    The whole Jacobian is compared, entry by entry:
    ``|analytic - numeric| <= atol + rtol * |numeric|``.

    Args:
        func: From Tensors to a Tensor or a tuple of them.
        inputs: A Tensor or a sequence of them; those that require a gradient are checked and
            should be float64, since differences in float32 are mostly rounding.
        eps: The step of the differences.
        atol: Absolute tolerance.
        rtol: Relative tolerance.
        raise_exception: Raise, or return False.

    Raises:
        GradcheckError: Naming the input, the place and both values.
        ValueError: If no input requires a gradient.

    Example:
        >>> import distgrad as dg
        >>> x = dg.tensor([0.5, 2.0], dtype=dg.float64, requires_grad=True)
        >>> gradcheck(lambda x: (3 * x**2 - 4 * x), x)
        True
    """
    inputs = _as_tuple(inputs)
    if not any(getattr(x, "requires_grad", False) for x in inputs):
        raise ValueError("gradcheck needs an input that requires a gradient")
    outputs = _as_tuple(func(*inputs))
    for position, tensor in enumerate(inputs):
        if not getattr(tensor, "requires_grad", False):
            continue
        numeric = _numeric_jacobian(func, inputs, tensor, eps)
        for number, output in enumerate(outputs):
            analytic = _analytic_jacobian(output, tensor)
            message = _difference(analytic, numeric[number], atol, rtol)
            if message and raise_exception:
                raise GradcheckError(f"output {number} by input {position}: {message}")
            if message:
                return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Check the second-order gradients of ``func``: the gradients of its gradients.

    The gradient that enters from above is a fixed array of unequal values, and is itself checked
    as an input. Arguments, result and errors are those of `gradcheck`.

    Example:
        >>> import distgrad as dg
        >>> x = dg.tensor([0.5, 2.0], dtype=dg.float64, requires_grad=True)
        >>> gradgradcheck(lambda x: x.tanh() ** 3, x)
        True
    """
    inputs = _as_tuple(inputs)
    above = tuple(_unequal(output) for output in _as_tuple(func(*inputs)))
    wanted = [i for i, x in enumerate(inputs) if getattr(x, "requires_grad", False)]

    def gradient(*arguments: Any) -> tuple[Any, ...]:
        values, above = arguments[: len(inputs)], arguments[len(inputs) :]
        outputs = _as_tuple(func(*values))
        sources = [values[i] for i in wanted]
        return tuple(
            g
            for g in grad(outputs, sources, above, create_graph=True, allow_unused=True)
            if g is not None and g.requires_grad
        )

    return gradcheck(
        gradient,
        (*inputs, *above),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
    )


def _as_tuple(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, list | tuple) else (values,)


def _unequal(output: Any) -> Any:
    weights = array_namespace(output.data).linspace(0.5, 1.5, output.data.size)
    return type(output)(weights.reshape(output.shape).astype(output.dtype), requires_grad=True)


def _numeric_jacobian(
    func: Callable[..., Any], inputs: Sequence[Any], tensor: Any, eps: float
) -> list[Any]:
    """Return, for each output, an array (elements of the input, elements of the output)."""

    def value() -> list[Any]:
        return [output.data.reshape(-1).copy() for output in _as_tuple(func(*inputs))]

    xp = array_namespace(tensor.data)
    array = tensor.data
    rows = []
    for i in np.ndindex(array.shape):
        middle = array[i].copy()
        array[i] = middle + eps
        above = value()
        array[i] = middle - eps
        below = value()
        array[i] = middle
        rows.append([(a - b) / (2 * eps) for a, b in zip(above, below, strict=True)])
    sizes = [len(output) for output in value()]
    return [
        xp.stack([row[k] for row in rows]) if rows else xp.zeros((0, size))
        for k, size in enumerate(sizes)
    ]


def _analytic_jacobian(output: Any, tensor: Any) -> Any:
    xp = array_namespace(output.data)
    columns = xp.zeros((tensor.data.size, output.data.size), output.data.dtype)
    for j in range(output.data.size if output.requires_grad else 0):
        above = xp.zeros(output.data.size, output.data.dtype)
        above[j] = 1
        (gradient,) = grad(
            output,
            tensor,
            type(output).of(above.reshape(output.shape)),
            retain_graph=True,
            allow_unused=True,
        )
        if gradient is not None:
            columns[:, j] = gradient.data.reshape(-1)
    return columns


def _difference(analytic: Any, numeric: Any, atol: float, rtol: float) -> str:
    close = abs(analytic - numeric) <= atol + rtol * abs(numeric)
    if close.all():
        return ""
    i, j = (int(index[0]) for index in (~close).nonzero())
    return (
        f"the gradient of output element {j} by input element {i} is {analytic[i, j]:.9g}, "
        f"but central differences give {numeric[i, j]:.9g}"
    )
