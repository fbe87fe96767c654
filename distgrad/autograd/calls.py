"""Calls of a function on tensors of its own, and gradients through them; for `functional`."""

from collections.abc import Callable
from typing import Any

from distgrad.autograd.gradients import grad
from distgrad.backend import array_namespace

__all__ = [
    "Tensors",
    "as_tensors",
    "call",
    "filled",
    "gradients",
    "own",
    "refuse_constants",
    "unpacked",
    "vector_like",
    "zeros_like",
]

Tensors = tuple[Any, ...]


def as_tensors(name: str, what: str, values: Any) -> tuple[bool, Tensors]:
    """Return whether there is a tuple of Tensors, and a tuple in either case.

    Raises:
        TypeError: If there is something else.
    """
    several = isinstance(values, tuple)
    tensors = values if several else (values,)
    for tensor in tensors:
        if not hasattr(tensor, "requires_grad"):
            raise TypeError(
                f"{name}(): {what} must be a Tensor or a tuple of Tensors, got "
                f"{'a tuple with ' if several else ''}{type(tensor).__name__}"
            )
    return several, tensors


def unpacked(values: Tensors, several: bool) -> Any:
    """Return the tuple, or the only element where there was no tuple in the first place."""
    return values if several else values[0]


def own(given: Tensors, create_graph: bool, wanted: bool = True) -> Tensors:
    """Return tensors that nobody else has, so that only the function's use of them counts."""
    return tuple(
        x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_(wanted)
        for x in given
    )


def call(
    name: str, func: Callable[..., Any], sources: Tensors, strict: bool, scalar: bool = False
) -> tuple[bool, Tensors]:
    """Return the outputs, and whether there is a tuple of them.

    Raises:
        TypeError: If they are something else than Tensors.
        RuntimeError: If ``strict`` and one was not computed from the sources; if there shall be a
            ``scalar`` and there is something else.
    """
    several, outputs = as_tensors(name, "the function's outputs", func(*sources))
    for number, output in enumerate(outputs):
        if strict and not output.requires_grad:
            raise independent(name, f"output {number} does not depend on the inputs")
    if scalar and (several or outputs[0].data.size != 1):
        got = f"a tuple of {len(outputs)}" if several else f"one of shape {outputs[0].shape}"
        raise RuntimeError(f"{name}() takes a function to a Tensor of one element, got {got}")
    return several, outputs


def vector_like(name: str, v: Any, like: Tensors, what: str, create_graph: bool) -> Tensors:
    """Return the vector of a product: ``v``, or 1 where there is one element.

    Raises:
        TypeError: If ``v`` is something else than Tensors.
        RuntimeError: If it is missing, or has other shapes than ``like``.
    """
    shapes = [x.shape for x in like]
    if v is None:
        if len(like) != 1 or like[0].data.size != 1:
            raise RuntimeError(
                f"{name}() needs v, a Tensor for each {what}, of shapes {shapes}; only a single "
                f"{what} of one element has the vector 1 by default"
            )
        return (type(like[0]).of(array_namespace(like[0].data).ones_like(like[0].data)),)
    _, vector = as_tensors(name, "v", v)
    if [x.shape for x in vector] != shapes:
        raise RuntimeError(
            f"{name}(): v must have the shapes of the {what}s, {shapes}, got "
            f"{[x.shape for x in vector]}"
        )
    return own(vector, create_graph, wanted=False)


def gradients(
    outputs: Tensors,
    sources: Tensors,
    vector: Tensors,
    create_graph: bool,
    retain_graph: bool | None = None,
) -> Tensors:
    """Return the gradients of those outputs that have some; None for sources without one."""
    pairs = [
        (output, above)
        for output, above in zip(outputs, vector, strict=True)
        if output is not None and output.requires_grad
    ]
    if not pairs:
        return (None,) * len(sources)
    roots, vectors = zip(*pairs, strict=True)
    return grad(roots, sources, vectors, retain_graph, create_graph, allow_unused=True)


def filled(name: str, found: Tensors, like: Tensors, missing: str, strict: bool) -> Tensors:
    """Return the gradients with zeros in place of None.

    Raises:
        RuntimeError: If ``strict`` and one is None: with what that means, ``missing``, in which
            ``{}`` is the number of the gradient.
    """
    for number, gradient in enumerate(found):
        if strict and gradient is None:
            raise independent(name, missing.format(number))
    return tuple(zeros_like(x) if g is None else g for g, x in zip(found, like, strict=True))


def refuse_constants(name: str, found: Tensors, what: str) -> None:
    """Refuse gradients that are not recorded.

    Raises:
        RuntimeError: With ``what``, in which ``{}`` is the number of the gradient.
    """
    for number, gradient in enumerate(found):
        if not gradient.requires_grad:
            raise independent(name, f"{what.format(number)} does not depend on the inputs")


def independent(name: str, what: str) -> RuntimeError:
    """Return the error of a strict call."""
    return RuntimeError(f"{name}(): {what}; strict=False gives zeros for it")


def zeros_like(tensor: Any) -> Any:
    """Return zeros of the shape and data type of a Tensor."""
    return type(tensor).of(array_namespace(tensor.data).zeros_like(tensor.data))
