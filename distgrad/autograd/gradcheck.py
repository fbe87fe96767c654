"""Compare gradients with central differences, as PyTorch's functions of the same names do."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from distgrad.autograd.differences import analytic_jacobian, as_tuple, numeric_jacobian, slopes
from distgrad.autograd.gradients import grad
from distgrad.backend import array_namespace, to_host
from distgrad.backend.dtypes import is_floating

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
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    fast_mode: bool = False,
) -> bool:
    """Check the gradients of ``func`` at ``inputs`` against central differences.

    The whole Jacobian is compared, entry by entry:
    ``|analytic - numeric| <= atol + rtol * |numeric|``.

    Args:
        func: From Tensors to a Tensor or a tuple of them. Of several, those that require no
            gradient are left out.
        inputs: A Tensor or a sequence of them; those that require a gradient are checked and
            should be float64, since differences in float32 are mostly rounding.
        eps: The step of the differences.
        atol: Absolute tolerance.
        rtol: Relative tolerance.
        raise_exception: Raise, or return False.
        nondet_tol: By how much two backward passes may differ; 0 for not by a bit.
        check_undefined_grad: Also check that zeros for the gradients of all outputs give zeros.
        check_grad_dtypes: Also check that gradients have the data types of their inputs.
        fast_mode: Compare the slope along one direction for each input and output instead of the
            whole Jacobian: two calls of ``func`` for an input however large. The directions are
            random but always the same.

    Raises:
        GradcheckError: Naming the input, the place and both values.
        ValueError: If no input requires a gradient.
        RuntimeError: If elements of an input, or two inputs, share memory: a step of one would
            move the other.

    Warns:
        UserWarning: If an input that requires a gradient is not float64.

    Example:
        >>> import distgrad as dg
        >>> x = dg.tensor([0.5, 2.0], dtype=dg.float64, requires_grad=True)
        >>> gradcheck(lambda x: (3 * x**2 - 4 * x), x)
        True
    """
    inputs = as_tuple(inputs)
    _check_inputs(inputs)
    try:
        outputs = _checked_outputs(func(*inputs))
        compare = _compare_along_directions if fast_mode else _compare_jacobians
        compare(func, inputs, outputs, eps, atol, rtol)
        _check_passes(inputs, outputs, nondet_tol, check_undefined_grad, check_grad_dtypes)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    fast_mode: bool = False,
) -> bool:
    """Check the second-order gradients of ``func``: the gradients of its gradients.

    The gradient that enters from above is itself checked as an input. By default it is a fixed
    array of unequal values for each output; ``grad_outputs`` gives others. The further arguments,
    result and errors are those of `gradcheck`.

    Example:
        >>> import distgrad as dg
        >>> x = dg.tensor([0.5, 2.0], dtype=dg.float64, requires_grad=True)
        >>> gradgradcheck(lambda x: x.tanh() ** 3, x)
        True
    """
    inputs = as_tuple(inputs)
    if grad_outputs is None:
        above = tuple(_unequal(numbered) for numbered in _checked_outputs(func(*inputs)))
    else:
        above = as_tuple(grad_outputs)
    wanted = [i for i, x in enumerate(inputs) if getattr(x, "requires_grad", False)]

    def gradient(*arguments: Any) -> tuple[Any, ...]:
        values, above = arguments[: len(inputs)], arguments[len(inputs) :]
        outputs = [output for _, output in _checked_outputs(func(*values))]
        sources = [values[i] for i in wanted]
        found = grad(outputs, sources, above, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None and g.requires_grad)

    return gradcheck(
        gradient,
        (*inputs, *above),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        fast_mode=fast_mode,
    )


Outputs = list[tuple[int, Any]]
"""The outputs that are checked, and their numbers."""


def _unequal(numbered: tuple[int, Any]) -> Any:
    _, output = numbered
    weights = array_namespace(output.data).linspace(0.5, 1.5, output.data.size)
    return type(output)(weights.reshape(output.shape).astype(output.dtype), requires_grad=True)


def _checked_outputs(result: Any) -> Outputs:
    """Return the outputs that require a gradient; if none does, all of floating-point type."""
    numbered = list(enumerate(as_tuple(result)))
    differentiable = [(n, y) for n, y in numbered if y.requires_grad]
    return differentiable or [(n, y) for n, y in numbered if is_floating(y.dtype)]


def _check_inputs(inputs: tuple[Any, ...]) -> None:
    wanted = [(i, x) for i, x in enumerate(inputs) if getattr(x, "requires_grad", False)]
    if not wanted:
        raise ValueError("gradcheck needs an input that requires a gradient")
    for i, x in wanted:
        if x.dtype != np.float64:
            warnings.warn(
                f"gradcheck: input {i} is of {x.dtype}, in which central differences are mostly "
                "rounding; convert it with .double()",
                stacklevel=3,
            )
        if _overlaps(x.data):
            raise RuntimeError(
                f"gradcheck: elements of input {i}, of shape {x.shape} with strides "
                f"{x.data.strides}, share memory, so that a step of one moves the others; pass a "
                "clone()"
            )
        for j, other in wanted:
            if (
                j < i
                and other is not x
                and array_namespace(x.data).shares_memory(x.data, other.data)
            ):
                raise RuntimeError(
                    f"gradcheck: inputs {j} and {i} share memory, so that a step of one moves the "
                    "other; pass a clone() of one of them"
                )


def _overlaps(array: Any) -> bool:
    """Tell whether two elements of an array lie at one address."""
    addresses = np.zeros(1, np.int64)
    for length, stride in zip(array.shape, array.strides, strict=True):
        if length > 1:
            addresses = (addresses[:, None] + np.arange(length) * stride).reshape(-1)
    return array.size > 0 and len(np.unique(addresses)) < len(addresses)


def _compare_jacobians(
    func: Callable[..., Any],
    inputs: tuple[Any, ...],
    outputs: Outputs,
    eps: float,
    atol: float,
    rtol: float,
) -> None:
    for position, tensor in enumerate(inputs):
        if not getattr(tensor, "requires_grad", False):
            continue
        numeric = numeric_jacobian(func, inputs, tensor, eps)
        for number, output in outputs:
            analytic = analytic_jacobian(output, tensor)
            bad = _far(analytic, numeric[number], atol, rtol)
            if bad.any():
                i, j = (int(index[0]) for index in bad.nonzero())
                raise GradcheckError(
                    f"output {number} by input {position}: the gradient of output element {j} by "
                    f"input element {i} is {analytic[i, j]:.9g}, but central differences give "
                    f"{numeric[number][i, j]:.9g}"
                )


def _compare_along_directions(
    func: Callable[..., Any],
    inputs: tuple[Any, ...],
    outputs: Outputs,
    eps: float,
    atol: float,
    rtol: float,
) -> None:
    """Compare slopes, which are weighted sums of a Jacobian's entries, and so is ``atol``."""
    for position, tensor in enumerate(inputs):
        if not getattr(tensor, "requires_grad", False):
            continue
        for slope in slopes(func, inputs, position, outputs, eps):
            if _far(slope.analytic, slope.numeric, atol * slope.weight, rtol):
                raise GradcheckError(
                    f"output {slope.output} by input {position}: the slope along a random "
                    f"direction is {slope.analytic:.9g}, but central differences give "
                    f"{slope.numeric:.9g}; without fast_mode=True the element is named"
                )


def _far(analytic: Any, numeric: Any, atol: float, rtol: float) -> Any:
    return ~(abs(analytic - numeric) <= atol + rtol * abs(numeric))


def _check_passes(
    inputs: tuple[Any, ...],
    outputs: Outputs,
    nondet_tol: float,
    check_undefined_grad: bool,
    check_grad_dtypes: bool,
) -> None:
    """Check what two equal backward passes give, and one from zeros."""
    wanted = [(i, x) for i, x in enumerate(inputs) if getattr(x, "requires_grad", False)]
    roots = [output for _, output in outputs if output.requires_grad]
    if not roots:
        return

    def gradients(above: list[Any]) -> list[Any]:
        tensors = [x for _, x in wanted]
        return list(grad(roots, tensors, above, retain_graph=True, allow_unused=True))

    above = [_unequal((0, root)).detach() for root in roots]
    for (i, x), first, second in zip(wanted, gradients(above), gradients(above), strict=True):
        if first is None or second is None:
            continue
        a, b = to_host(first.data), to_host(second.data)
        if not ((a == b) | (abs(a - b) <= nondet_tol) | ((a != a) & (b != b))).all():
            raise GradcheckError(
                f"input {i}: two backward passes differ by up to {abs(a - b).max():.3g}, and "
                f"nondet_tol={nondet_tol} allows less; make the backward pass deterministic"
            )
        if check_grad_dtypes and first.dtype != x.dtype:
            raise GradcheckError(
                f"input {i} is of {x.dtype}, but its gradient is of {first.dtype}; return one of "
                "the input's data type"
            )
    if check_undefined_grad:
        zeros = [type(root).of(array_namespace(root.data).zeros_like(root.data)) for root in roots]
        for (i, _), gradient in zip(wanted, gradients(zeros), strict=True):
            if gradient is not None and (to_host(gradient.data) != 0).any():
                raise GradcheckError(
                    f"input {i}: the gradient is not 0 where those of all outputs are; multiply by "
                    "the gradient from above, or pass check_undefined_grad=False"
                )
