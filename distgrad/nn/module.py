"""`Module`: what holds the parameters, buffers and submodules of a model."""

from collections.abc import Callable
from typing import Any, Self

from distgrad.nn.conversion import Convertible
from distgrad.nn.hooks import call_with_hooks

__all__ = ["Module"]


def _missing_forward(self: "Module", *args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError(
        f"{type(self).__name__} has no forward(); define it to say what the module computes"
    )


class Module(Convertible):
    """Base class of everything that is built of parameters and computes something from an input.

    A Parameter, a Buffer, a Module or, once `register_buffer` has named it, a Tensor assigned to an
    attribute is registered under the attribute's name. A subclass calls ``super().__init__()``
    first and defines ``forward``.

    Attributes:
        training: Whether the module is in training mode, which dropout looks at; True at first.

    Example:
        >>> import distgrad as dg
        >>> from distgrad import nn
        >>> class Scale(nn.Module):
        ...     def __init__(self, features):
        ...         super().__init__()
        ...         self.factor = nn.Parameter(dg.ones(features))
        ...
        ...     def forward(self, x):
        ...         return x * self.factor
        >>> scale = Scale(3)
        >>> scale(dg.arange(3.0)).tolist()
        [0.0, 1.0, 2.0]
        >>> list(scale.state_dict())
        ['factor']
    """

    training: bool

    # An attribute, so that a subclass may give forward the parameters that it needs.
    forward: Callable[..., Any] = _missing_forward

    def __init__(self) -> None:
        super().__init__()
        self.training = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what ``forward`` computes, called between the hooks."""
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
        ):
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # Mode and gradients

    def train(self, mode: bool = True) -> Self:
        """Set training mode, or evaluation mode with False, here and below.

        Raises:
            ValueError: If ``mode`` is not a bool.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be True or False, got {mode!r}")
        self.training = mode
        for module in self.children():  # by their own train(), which may hold back a frozen part
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode, here and below."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let all parameters ask for a gradient, or freeze them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or with ``set_to_none=False`` fill them with 0."""
        for parameter in self.parameters():
            if parameter.grad is not None and not set_to_none:
                parameter.grad = parameter.grad.detach().zero_()
            else:
                parameter.grad = None

    # Text

    def extra_repr(self) -> str:
        """Return what ``repr`` says of the module itself, such as its sizes; lines, if several."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr().splitlines()
        lines = [*extra]
        for name, module in self._modules.items():
            lines.append(f"({name}): {module!r}".replace("\n", "\n  "))
        if len(extra) == len(lines) < 2:
            return f"{type(self).__name__}({''.join(extra)})"
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"
