"""`Function`: operations of the user's own, with a gradient of the user's own."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ClassVar, ParamSpec

from distgrad.autograd.function_node import FunctionNode, RefusingNode
from distgrad.autograd.modes import is_grad_enabled, no_grad
from distgrad.autograd.observing import observed
from distgrad.backend.dtypes import is_floating

__all__ = ["Function", "FunctionContext", "once_differentiable"]

_P = ParamSpec("_P")


class FunctionContext:
    """What `Function.forward` leaves for `Function.backward`; attributes may be set on it.

    Attributes:
        needs_input_grad: For each argument of ``apply``, whether a gradient is wanted for it.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._to_save: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._materialize = True
        self._node: Callable[[], FunctionNode | None] = lambda: None

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs, outputs, or other Tensors (or None) for ``ctx.saved_tensors``.

        Only so do changes in place show, and second-order gradients flow.

        Raises:
            TypeError: If one of them is no Tensor.
        """
        for tensor in tensors:
            if tensor is not None and not hasattr(tensor, "node"):
                raise TypeError(
                    f"save_for_backward() takes Tensors and None, got {type(tensor).__name__}; set "
                    "other values as attributes of ctx"
                )
        self._to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` was given.

        Raises:
            RuntimeError: If it was freed by an earlier pass, or changed in place.
        """
        node = self._node()
        return self._to_save if node is None else node.saved_tensors()

    def mark_dirty(self, *tensors: Any) -> None:
        """Say which inputs ``forward`` has changed in place; it returns them too."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which outputs have no gradient; those that are not floating have none anyway."""
        self._constant = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether ``backward`` gets zeros, the default, or None for an unused output."""
        self._materialize = value


class Function:
    """Base of operations with a gradient of their own; a subclass is called by its ``apply``.

    ``forward(ctx, *args)`` computes Tensors from Tensors and other values, unrecorded.
    ``backward(ctx, *gradients)`` gets a gradient for each output and returns one, or None, for each
    argument of ``apply``; written with Tensor operations it has gradients of its own. In place of
    the first, ``forward(*args)`` and ``setup_context(ctx, inputs, output)`` may be given.

    Example:
        >>> import distgrad as dg
        >>> class Cube(dg.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x**3
        ...     @staticmethod
        ...     def backward(ctx, gradient):
        ...         (x,) = ctx.saved_tensors
        ...         return gradient * 3 * x**2
        >>> x = dg.tensor(2.0, requires_grad=True)
        >>> dg.autograd.grad(Cube.apply(x), x)
        (tensor(12.),)
    """

    setup_context: ClassVar[Callable[[FunctionContext, tuple[Any, ...], Any], None] | None] = None

    def __init__(self) -> None:
        raise RuntimeError(
            f"{type(self).__name__} is not instantiated; call {type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(*args: Any) -> Any:
        """Compute the outputs; a subclass says how."""
        raise NotImplementedError("a Function needs a static method forward(ctx, *args)")

    @staticmethod
    def backward(ctx: FunctionContext, *gradients: Any) -> Any:
        """Compute the gradients of the arguments; a subclass says how."""
        raise NotImplementedError("a Function needs a static method backward(ctx, *gradients)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run ``forward`` and record it.

        Returns:
            What ``forward`` returns: a Tensor, or a tuple of Tensors and other values. Tensors
            within something else than a tuple have no gradient.

        Raises:
            RuntimeError: If an input marked dirty is a leaf that requires a gradient, or is not
                returned.
        """
        ctx = FunctionContext(tuple([getattr(x, "node", None) is not None for x in args]))
        with no_grad():
            if cls.setup_context is None:
                result = cls.forward(ctx, *args)
            else:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
        outputs = result if isinstance(result, tuple) else (result,)
        if any(ctx.needs_input_grad) and is_grad_enabled():
            outputs = _recorded(cls, ctx, args, outputs)
        return outputs if isinstance(result, tuple) else outputs[0]


def _recorded(
    function: type[Function], ctx: FunctionContext, args: Sequence[Any], outputs: Sequence[Any]
) -> tuple[Any, ...]:
    """Return the outputs at their places in the graph."""
    _check_returned(function, ctx._dirty, outputs)
    node = FunctionNode(function, ctx, args, outputs)
    constant = [id(tensor) for tensor in ctx._constant]
    dirty = [id(tensor) for tensor in ctx._dirty]
    given = {id(x.version): x for x in args if hasattr(x, "node")}
    linked, shown = [], []
    for position, output in enumerate(outputs):
        if not hasattr(output, "node") or not is_floating(output.dtype):
            linked.append(output)
        elif id(output) in constant:
            linked.append(output.detach())
        elif id(output) in dirty:
            output.take_place_of(type(output).of(output.data, node.output(position, output.data)))
            linked.append(output)
        else:
            result = type(output).of(output.data, node.output(position, output.data))
            result.version = output.version
            if id(output.version) in given:  # it shows the memory of an argument
                shown.append((result, given[id(output.version)]))
            linked.append(result)
    for result, source in shown:  # when those that were changed are at their places
        result.hide_behind(source)
    observed(node)
    return tuple(linked)


def _check_returned(function: type[Function], dirty: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Refuse an input that was changed in place, but stays behind in the graph."""
    returned = [id(output) for output in outputs]
    if any(id(tensor) not in returned for tensor in dirty):
        raise RuntimeError(
            f"{function.__name__}.forward marked an input dirty that it does not return: return "
            "each of them, for it gets its new place in the graph as an output"
        )


_ONCE = (
    "once_differentiable",
    "a backward marked with once_differentiable has no gradient of its own; write it with Tensor "
    "operations and without the mark",
)


def once_differentiable(backward: Callable[_P, Any]) -> Callable[_P, Any]:
    """Mark a ``backward`` whose own gradient does not exist; what asks for it is refused.

    Example:
        >>> class Step(Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         return x.sign()
        ...     @staticmethod
        ...     @once_differentiable
        ...     def backward(ctx, gradient):
        ...         return gradient.clamp(-1, 1)
    """

    @wraps(backward)
    def unrecorded(*args: _P.args, **kwargs: _P.kwargs) -> Any:
        with no_grad():
            returned = backward(*args, **kwargs)
        given = [getattr(gradient, "node", None) for gradient in args[1:]]
        above = tuple([node for node in given if node is not None])
        if not (above and is_grad_enabled()):
            return returned
        gradients = returned if isinstance(returned, tuple) else (returned,)
        linked = [
            g if g is None else type(g).of(g.data, RefusingNode(above, g, *_ONCE))
            for g in gradients
        ]
        return tuple(linked) if isinstance(returned, tuple) else linked[0]

    return unrecorded
