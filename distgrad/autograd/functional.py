"""Jacobians, Hessians and their products with vectors, as ``torch.autograd.functional`` has them.

The function is called on tensors of its own, at the values of the inputs: what it has caught from
outside is a constant. All take ``create_graph``, to record the result itself, and ``strict``, to
refuse what does not depend on an input instead of giving zeros for it. PyTorch's ``vectorize`` and
``strategy`` have no counterpart: there is one backward pass for each output element.
"""

from collections.abc import Callable
from typing import Any

from distgrad.autograd.calls import (
    Tensors,
    as_tensors,
    call,
    filled,
    gradients,
    own,
    refuse_constants,
    unpacked,
    vector_like,
    zeros_like,
)
from distgrad.autograd.modes import enable_grad
from distgrad.backend import array_namespace

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Function = Callable[..., Any]

_NO_INPUT = "the output does not depend on input {}"
_NO_SLOPE = "the gradient by input {}"


def jacobian(func: Function, inputs: Any, create_graph: bool = False, strict: bool = False) -> Any:
    """Return the derivatives of all output elements by all input elements.

    Args:
        func: From Tensors to a Tensor or a tuple of them.
        inputs: A Tensor or a tuple of them.
        create_graph: Record the result, so that it has gradients by ``inputs``.
        strict: Raise where an output does not depend on an input, instead of giving zeros.

    Returns:
        A Tensor of shape ``(*output.shape, *input.shape)``; for several inputs a tuple of them, for
        several outputs a tuple of these.

    Raises:
        TypeError: If inputs or outputs are something else.
        RuntimeError: If ``strict`` finds what does not depend on an input.

    Example:
        >>> import distgrad as dg
        >>> jacobian(lambda x: x**2, dg.tensor([1.0, 3.0]))
        tensor([[2., 0.],
                [0., 6.]])
    """
    return _jacobian("jacobian", "output", func, inputs, create_graph, strict)


def _jacobian(
    name: str, what: str, func: Function, inputs: Any, create_graph: bool, strict: bool
) -> Any:
    several_in, given = as_tensors(name, "inputs", inputs)
    with enable_grad():
        sources = own(given, create_graph)
        several_out, outputs = call(name, func, sources, strict)
        rows = []
        for number, output in enumerate(outputs):
            row = _row(name, f"{what} {number}", output, sources, create_graph, strict)
            rows.append(unpacked(row, several_in))
    return unpacked(tuple(rows), several_out)


def _row(
    name: str, what: str, output: Any, sources: Tensors, create_graph: bool, strict: bool
) -> Tensors:
    """Return the Jacobians of one output by each of the sources."""
    size = output.data.size
    parts: list[list[Any]] = [[] for _ in sources]
    for j in range(size):
        above = array_namespace(output.data).zeros(size, output.data.dtype)
        above[j] = 1
        vector = type(output).of(above.reshape(output.shape))
        found = gradients((output,), sources, (vector,), create_graph, retain_graph=True)
        found = filled(name, found, sources, f"{what} does not depend on input {{}}", strict)
        if strict and create_graph:
            refuse_constants(name, found, f"the derivative of {what} by input {{}}")
        for part, gradient in zip(parts, found, strict=True):
            part.append(gradient)
    return tuple(
        _stacked(part, source).reshape((*output.shape, *source.shape))
        for part, source in zip(parts, sources, strict=True)
    )


def _stacked(parts: list[Any], source: Any) -> Any:
    if not parts:  # of an output without elements
        return type(source).of(array_namespace(source.data).zeros((0, *source.shape), source.dtype))
    return source.__array_namespace__().stack(*parts, axis=0)


def hessian(func: Function, inputs: Any, create_graph: bool = False, strict: bool = False) -> Any:
    """Return the second derivatives of a function of one element by all pairs of input elements.

    Args:
        func: From Tensors to a Tensor of one element.
        inputs: A Tensor or a tuple of them.
        create_graph: As in `jacobian`.
        strict: As in `jacobian`; the first derivatives must depend on the inputs, too.

    Returns:
        A Tensor of shape ``(*input.shape, *input.shape)``; for several inputs a tuple of tuples of
        them.

    Raises:
        TypeError: As `jacobian`.
        RuntimeError: As `jacobian`, or if the output has not one element.

    Example:
        >>> import distgrad as dg
        >>> hessian(lambda x: x.prod(), dg.tensor([2.0, 3.0, 5.0]))
        tensor([[0., 5., 3.],
                [5., 0., 2.],
                [3., 2., 0.]])
    """
    several, given = as_tensors("hessian", "inputs", inputs)

    def slopes(*sources: Any) -> Tensors:
        return _slopes("hessian", func, sources, strict)[1]

    rows = _jacobian("hessian", "the gradient by input", slopes, given, create_graph, strict)
    return unpacked(tuple(unpacked(row, several) for row in rows), several)


def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return the outputs, and the product of a vector with the Jacobian: one backward pass.

    Args:
        func: As in `jacobian`.
        inputs: As in `jacobian`.
        v: The vector, shaped as the outputs; without one an output of one element has the vector 1.
        create_graph: As in `jacobian`; the outputs are recorded, too.
        strict: As in `jacobian`.

    Returns:
        The outputs, and a Tensor shaped as each input.

    Raises:
        TypeError: As `jacobian`.
        RuntimeError: As `jacobian`, or if ``v`` has other shapes than the outputs.

    Example:
        >>> import distgrad as dg
        >>> vjp(lambda x: x.exp(), dg.zeros(2), dg.tensor([1.0, 3.0]))
        (tensor([1., 1.]), tensor([1., 3.]))
    """
    several_in, given = as_tensors("vjp", "inputs", inputs)
    with enable_grad():
        sources = own(given, create_graph)
        several_out, outputs = call("vjp", func, sources, strict)
        vector = vector_like("vjp", v, outputs, "output", create_graph)
    found = gradients(outputs, sources, vector, create_graph)
    product = filled("vjp", found, sources, _NO_INPUT, strict)
    if strict and create_graph:
        refuse_constants("vjp", product, "the Jacobian by input {}")
    return _results(outputs, several_out, product, several_in, create_graph)


def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return the outputs, and the product of the Jacobian with a vector: the slope along it.

    It takes two backward passes: the second is the gradient of the first by what enters it.

    Args:
        func: As in `jacobian`.
        inputs: As in `jacobian`.
        v: The vector, shaped as the inputs; without one an input of one element has the vector 1.
        create_graph: As in `vjp`.
        strict: As in `jacobian`.

    Returns:
        The outputs, and a Tensor shaped as each output.

    Raises:
        TypeError: As `jacobian`.
        RuntimeError: As `jacobian`, or if ``v`` has other shapes than the inputs.

    Example:
        >>> import distgrad as dg
        >>> jvp(lambda x: x * x.sum(), dg.tensor([1.0, 2.0]), dg.tensor([1.0, 0.0]))
        (tensor([3., 6.]), tensor([4., 2.]))
    """
    _, given = as_tensors("jvp", "inputs", inputs)
    with enable_grad():
        sources = own(given, create_graph)
        vector = vector_like("jvp", v, sources, "input", create_graph)
        several, outputs = call("jvp", func, sources, strict)
        above = tuple(zeros_like(output).requires_grad_() for output in outputs)
        slopes = gradients(outputs, sources, above, create_graph=True)
        filled("jvp", slopes, sources, _NO_INPUT, strict)
    found = gradients(slopes, above, vector, create_graph)
    missing = "the slope of output {} does not depend on the inputs"
    product = filled("jvp", found, outputs, missing, strict)
    if strict and create_graph:
        refuse_constants("jvp", product, "the slope of output {}")
    return _results(outputs, several, product, several, create_graph)


def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return the output, and the product of a vector with the Hessian.

    Args:
        func: From Tensors to a Tensor of one element.
        inputs: As in `jacobian`.
        v: As in `jvp`.
        create_graph: As in `vjp`.
        strict: As in `hessian`.

    Returns:
        The output, and a Tensor shaped as each input.

    Raises:
        TypeError: As `jacobian`.
        RuntimeError: As `hessian` and `jvp`.

    Example:
        >>> import distgrad as dg
        >>> vhp(lambda x: x.prod(), dg.tensor([2.0, 3.0, 5.0]), dg.tensor([1.0, 0.0, 0.0]))
        (tensor(30.), tensor([0., 5., 3.]))
    """
    several, sources, vector, output, slopes = _start("vhp", func, inputs, v, create_graph, strict)
    found = gradients(slopes, sources, vector, create_graph)
    return _products("vhp", output, found, sources, several, create_graph, strict)


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return the output, and the product of the Hessian with a vector.

    A Hessian is symmetric where the second derivatives are continuous, and `vhp`, which takes a
    backward pass less, gives the same there. Arguments, result and errors are those of `vhp`.

    Example:
        >>> import distgrad as dg
        >>> hvp(lambda x: x.prod(), dg.tensor([2.0, 3.0, 5.0]), dg.tensor([1.0, 0.0, 0.0]))
        (tensor(30.), tensor([0., 5., 3.]))
    """
    several, sources, vector, output, slopes = _start("hvp", func, inputs, v, create_graph, strict)
    with enable_grad():
        above = tuple(zeros_like(source).requires_grad_() for source in sources)
        twice = gradients(slopes, sources, above, create_graph=True)
    found = gradients(twice, above, vector, create_graph)
    return _products("hvp", output, found, sources, several, create_graph, strict)


def _start(
    name: str, func: Function, inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[bool, Tensors, Tensors, Any, Tensors]:
    """Return (are the inputs a tuple, the inputs, the vector, the output, its gradients)."""
    several, given = as_tensors(name, "inputs", inputs)
    with enable_grad():
        sources = own(given, create_graph)
        vector = vector_like(name, v, sources, "input", create_graph)
        output, slopes = _slopes(name, func, sources, strict)
    return several, sources, vector, output, slopes


def _slopes(name: str, func: Function, sources: Tensors, strict: bool) -> tuple[Any, Tensors]:
    """Return the output of a function of one element, and its gradients, which are recorded."""
    _, (output,) = call(name, func, sources, strict, scalar=True)
    found = gradients((output,), sources, (None,), create_graph=True)
    slopes = filled(name, found, sources, _NO_INPUT, strict)
    if strict:
        refuse_constants(name, slopes, _NO_SLOPE)
    return output, slopes


def _products(
    name: str,
    output: Any,
    found: Tensors,
    sources: Tensors,
    several: bool,
    create_graph: bool,
    strict: bool,
) -> tuple[Any, Any]:
    """Return the output, and the products with its Hessian."""
    missing = "the gradient does not depend on input {}"
    product = filled(name, found, sources, missing, strict)
    if strict and create_graph:
        refuse_constants(name, product, "the Hessian by input {}")
    return _results((output,), False, product, several, create_graph)


def _results(
    outputs: Tensors, several_out: bool, product: Tensors, several: bool, create_graph: bool
) -> tuple[Any, Any]:
    if not create_graph:
        outputs = tuple(output.detach() for output in outputs)
    return unpacked(outputs, several_out), unpacked(product, several)
