"""`backward` and `grad`: gradients into ``.grad`` of the leaves, or as return values."""

from collections.abc import Callable, Sequence
from typing import Any

from distgrad.autograd.accumulation import add_to_grad, add_to_graph_grad
from distgrad.autograd.anomaly import pass_type
from distgrad.backend import array_namespace

__all__ = ["backward", "backward_into", "grad"]


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add the gradients of ``tensors`` to ``.grad`` of the leaves that they depend on.

    Args:
        tensors: A Tensor or a sequence of them.
        grad_tensors: For each of them the gradient that comes from above, of the same shape; None
            for scalars, where it is 1.
        retain_graph: Keep what the graph saved, for another backward pass. Default: the value of
            ``create_graph``.
        create_graph: Record the pass itself, so that gradients of gradients can be taken.

    Raises:
        RuntimeError: If a tensor does not require a gradient, is not a scalar and has none given,
            or if a saved value was freed or changed in place.

    Example:
        >>> import distgrad as dg
        >>> x = dg.arange(4.0, requires_grad=True)
        >>> dg.autograd.backward([x.sum(), (2 * x).sum()])
        >>> x.grad
        tensor([3., 3., 3., 3.])
    """
    tensors = _as_sequence(tensors)
    roots = _roots(tensors, grad_tensors, create_graph)
    if not roots:
        return
    walk = pass_type()(
        add_to_graph_grad if create_graph else add_to_grad,
        type(tensors[0]),
        create_graph=create_graph,
        retain_graph=create_graph if retain_graph is None else retain_graph,
    )
    for finish in walk.run(roots):
        finish()


def backward_into(tensor: Any, deliver: Callable[[Any, Any], None]) -> None:
    """Run the backward pass of a scalar, handing each contribution to a leaf to ``deliver``.

    ``deliver(leaf, array)`` gets raw arrays, possibly several for one leaf, in a fixed order, and
    must not change them, nor keep them beyond the next pass. No ``.grad`` of a leaf is touched.
    """
    pass_type()(deliver, type(tensor)).run(_roots([tensor], None, create_graph=False))


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """Return the gradients of the sum of ``outputs`` with respect to ``inputs``.

    No ``.grad`` of a leaf is touched, and only the part of the graph that leads to ``inputs`` is
    walked.

    Args:
        outputs: A Tensor or a sequence of them.
        inputs: A Tensor or a sequence of them, leaves or not.
        grad_outputs: As ``grad_tensors`` of `backward`.
        retain_graph: As in `backward`.
        create_graph: As in `backward`.
        allow_unused: Give None for an input that the outputs do not depend on, instead of raising.

    Returns:
        One Tensor for each input, of its shape and data type and with memory of its own.

    Raises:
        RuntimeError: As `backward`; if there is no input or no output, or an input does not require
            a gradient or is not used.

    Example:
        >>> import distgrad as dg
        >>> x = dg.tensor(2.0, requires_grad=True)
        >>> (slope,) = dg.autograd.grad(x**4, x, create_graph=True)
        >>> dg.autograd.grad(slope, x)
        (tensor(48.),)
    """
    outputs, inputs = _as_sequence(outputs), _as_sequence(inputs)
    if not outputs or not inputs:
        raise RuntimeError(
            f"grad() takes one output and one input at least, got {len(outputs)} and {len(inputs)}"
        )
    targets = _targets(inputs)
    tensor_type = type(outputs[0])
    roots = _roots(outputs, grad_outputs, create_graph)
    walk = pass_type()(
        _drop,
        tensor_type,
        create_graph=create_graph,
        retain_graph=create_graph if retain_graph is None else retain_graph,
        targets=targets,
    )
    walk.run(roots)
    found = walk.found
    for position, target in enumerate(targets):
        if target not in found and not allow_unused:
            raise RuntimeError(
                f"input {position} of grad() was not used to compute the outputs; "
                "pass allow_unused=True to get None for it"
            )
    gradients = [found.get(target) for target in targets]
    if create_graph:
        return tuple(gradients)
    owned = _owned(gradients, [gradient for _, gradient in roots])
    return tuple(None if g is None else tensor_type.of(g) for g in owned)


def _targets(inputs: Sequence[Any]) -> list[Any]:
    for position, tensor in enumerate(inputs):
        if not tensor.requires_grad:
            raise RuntimeError(
                f"input {position} of grad() does not require a gradient; "
                "call requires_grad_() on it before it is used"
            )
    return [tensor.node for tensor in inputs]


def _owned(gradients: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """Copy the arrays that others may share: rules pass a gradient on as it is, or a view of it."""
    seen = {id(gradient) for gradient in given}
    result = []
    for gradient in gradients:
        shared = gradient is not None and (gradient.base is not None or id(gradient) in seen)
        seen.add(id(gradient))
        result.append(gradient.copy(order="K") if shared else gradient)
    return result


def _as_sequence(tensors: Any) -> Sequence[Any]:
    return tensors if isinstance(tensors, list | tuple) else (tensors,)


def _roots(tensors: Sequence[Any], gradients: Any, create_graph: bool) -> list[tuple[Any, Any]]:
    """Pair the edge of each tensor with the gradient that enters the graph there."""
    if gradients is None:
        gradients = [None] * len(tensors)
    gradients = _as_sequence(gradients)
    if len(gradients) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors but {len(gradients)} gradients for them")
    roots = []
    for tensor, gradient in zip(tensors, gradients, strict=True):
        if not tensor.requires_grad:
            raise RuntimeError(
                "this tensor does not require a gradient: it was computed from no tensor with "
                "requires_grad=True, or under no_grad()"
            )
        gradient = _initial_gradient(tensor, gradient)
        roots.append((tensor.node, gradient if create_graph else gradient.data))
    return roots


def _initial_gradient(tensor: Any, gradient: Any) -> Any:
    if gradient is None:
        if tensor.data.size != 1:
            raise RuntimeError(
                f"backward of a tensor of shape {tensor.shape} needs gradient= of that shape; only "
                "a scalar has the gradient 1 by default (use .sum() or .mean() for a scalar loss)"
            )
        xp = array_namespace(tensor.data)
        return type(tensor).of(xp.array(1, tensor.dtype).reshape(tensor.shape))
    if not hasattr(gradient, "requires_grad"):
        raise TypeError(f"gradient= must be a Tensor, got {type(gradient).__name__}")
    if gradient.shape != tensor.shape:
        raise RuntimeError(
            f"gradient= has shape {gradient.shape}, but the tensor has shape {tensor.shape}"
        )
    if type(gradient.data) is not type(tensor.data) and gradient.device != tensor.device:
        raise RuntimeError(
            f"gradient= lies on {gradient.device}, but the tensor on {tensor.device}; move it with "
            ".to()"
        )
    return gradient.to(tensor.dtype)


def _drop(tensor: Any, gradient: Any) -> None:
    """Let the gradient of a leaf that nobody asked for go."""
