"""`Boundary`: where gradients come out of a module and go into it, and backward hooks see them."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from distgrad.autograd import Function, is_grad_enabled
from distgrad.tensor import Tensor

__all__ = ["Boundary"]

Gradients = tuple[Any, ...]
"""A Tensor or None for each value."""

Hook = Callable[..., Any]


class _Joint(Function):
    """Passes Tensors on as they are; their gradients meet before any of them goes further."""

    @staticmethod
    def forward(*args: Any) -> Any:
        """Return the Tensors; before them come the context and the arguments of `_joined`."""
        ctx, ctx.see, zeros, *tensors = args
        passed = tuple(tensor.detach() for tensor in tensors)
        wanted = ctx.needs_input_grad[2:]
        ctx.mark_non_differentiable(
            *(y for y, wants in zip(passed, wanted, strict=True) if not wants)
        )
        ctx.set_materialize_grads(zeros)
        return passed

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Return what is to go on in place of the gradients."""
        return (None, None, *ctx.see(gradients))


class Boundary:
    """What a call of a module goes through where the module has backward hooks.

    Args:
        module: The module.
        pre_hooks: Called with (module, gradients of the outputs).
        hooks: Called with (module, gradients of the inputs, gradients of the outputs).
    """

    def __init__(self, module: Any, pre_hooks: Sequence[Hook], hooks: Sequence[Hook]) -> None:
        self._module = module
        self._pre_hooks = pre_hooks
        self._hooks = hooks
        self._entered = False
        self._inputs = 0
        self._above: Gradients | None = None

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, with their gradients to be seen."""
        self._inputs = len(args)
        self._entered, args = _joined(args, self._at_inputs, zeros=True)
        return args

    def leave(self, output: Any) -> Any:
        """Return the output, with its gradients to be seen."""
        if not isinstance(output, Tensor | tuple):
            warnings.warn(
                f"{type(self._module).__name__} has backward hooks, which need an output that is a "
                f"Tensor or a tuple of them, got {type(output).__name__}: they are not called",
                stacklevel=5,
            )
            return output
        if isinstance(output, tuple):
            return _joined(output, self._at_outputs, zeros=False)[1]
        return _joined((output,), self._at_outputs, zeros=False)[1][0]

    def _at_outputs(self, gradients: Gradients) -> Gradients:
        for hook in self._pre_hooks:
            gradients = _replaced("pre-", gradients, hook(self._module, gradients))
        if self._entered:
            self._above = gradients
        else:
            self._call_without_inputs(gradients)
        return gradients

    def _call_without_inputs(self, above: Gradients) -> None:
        for hook in self._hooks:
            returned = hook(self._module, (None,) * self._inputs, above)
            if returned is not None and not (
                isinstance(returned, tuple) and all(gradient is None for gradient in returned)
            ):
                raise RuntimeError(
                    f"a backward hook of {type(self._module).__name__} returned gradients of "
                    "inputs, but no input requires one; return None"
                )

    def _at_inputs(self, gradients: Gradients) -> Gradients:
        above, self._above = self._above, None
        if above is None:  # they came from within, as gradients of gradients do
            return gradients
        for hook in self._hooks:
            gradients = _replaced("", gradients, hook(self._module, gradients, above))
        return gradients


def _joined(
    values: tuple[Any, ...], see: Callable[[Gradients], Gradients], zeros: bool
) -> tuple[bool, tuple[Any, ...]]:
    """Lead all Tensors among some values through one joint.

    Args:
        values: The values.
        see: Gets a gradient, or None, for each value, and returns what goes on.
        zeros: Whether a Tensor that gets no gradient has zeros there, and not None.

    Returns:
        Whether they were, which they are not where no gradient will come, and the values.
    """
    places = [place for place, value in enumerate(values) if isinstance(value, Tensor)]
    if not (is_grad_enabled() and any(values[place].requires_grad for place in places)):
        return False, values

    def see_all(gradients: Gradients) -> Gradients:
        given = dict(zip(places, gradients, strict=True))
        seen = see(tuple(given.get(place) for place in range(len(values))))
        return tuple(seen[place] for place in places)

    tensors = (values[place] for place in places)
    passed = dict(zip(places, _Joint.apply(see_all, zeros, *tensors), strict=True))
    result = [passed.get(place, value) for place, value in enumerate(values)]
    kind: Any = type(values)
    return True, tuple(result) if kind is tuple else kind(*result)


def _replaced(kind: str, gradients: Gradients, returned: Any) -> Gradients:
    """Return the gradients that go on behind a hook that was given some and returned others."""
    if returned is None:
        return gradients
    if isinstance(returned, Tensor):
        returned = (returned,)
    if len(returned) != len(gradients):
        raise RuntimeError(
            f"a backward {kind}hook returned {len(returned)} gradients in place of "
            f"{len(gradients)}; return one for each, None where there is none"
        )
    return tuple(returned)
