"""Checkpointing: what a function saved for its gradients is computed again when it is needed.

The function is recorded as usual, so that every kind of gradient goes through it, but its nodes
drop what they save. The first one that is asked for it runs the function again and hands all of
them what the second run saved (T. Chen et al., Training Deep Nets with Sublinear Memory Cost,
2016).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from distgrad.autograd.modes import enable_grad, is_grad_enabled
from distgrad.autograd.observing import observing
from distgrad.autograd.op_node import SavingNode
from distgrad.autograd.random_scope import random_state

__all__ = ["checkpoint", "checkpoint_sequential", "is_recomputing"]

_recomputing: ContextVar[bool] = ContextVar("distgrad_recomputing", default=False)


def is_recomputing() -> bool:
    """Tell whether a checkpointed function runs again: what counts its calls must not count that.

    Running statistics, such as those of batch normalisation, follow the first run only.
    """
    return _recomputing.get()


def checkpoint(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call ``function`` and keep for its gradients only the arguments, not what lies between.

    The backward pass calls it again, with the random draws of the first call, and so with the same
    bits. Gradients of every order go through it, also to parameters that it does not get as
    arguments; checkpoints may be nested.

    Args:
        function: Computes the same whenever it is called, with no effect but its result.
        *args: Its arguments.
        **kwargs: The same by name.

    Returns:
        What the function returns.

    Raises:
        RuntimeError: In the backward pass, if an argument was changed in place, or the second call
            records other operations.

    Example:
        >>> import distgrad as dg
        >>> x = dg.ones(3, requires_grad=True)
        >>> y = checkpoint(lambda x: (x.exp() * 2).tanh(), x)
        >>> dg.autograd.grad(y.sum(), x)[0].shape
        (3,)
    """
    if not is_grad_enabled():
        return function(*args, **kwargs)
    call = _Call(lambda: function(*args, **kwargs), (*args, *kwargs.values()))
    with observing(call.drop):
        return function(*args, **kwargs)


def checkpoint_sequential(functions: Any, segments: int, input: Any) -> Any:
    """Call functions one after another, checkpointed in segments; the last one saves as usual.

    Args:
        functions: A `nn.Sequential` or a sequence of functions of one argument.
        segments: Into how many parts to divide them.
        input: The argument of the first.

    Raises:
        ValueError: If there are fewer functions than segments, or no segment.

    Example:
        >>> import distgrad as dg
        >>> layers = dg.nn.Sequential(dg.nn.Linear(4, 4), dg.nn.Tanh(), dg.nn.Linear(4, 1))
        >>> checkpoint_sequential(layers, 2, dg.ones(5, 4)).shape
        (5, 1)
    """
    functions = list(functions)
    if not 1 <= segments <= len(functions):
        raise ValueError(
            f"segments is {segments}, but {len(functions)} functions can be divided into 1 to "
            f"{len(functions)}"
        )
    length = len(functions) // segments
    for start in range(0, length * (segments - 1), length):
        input = checkpoint(_chained(functions[start : start + length]), input)
    return _chained(functions[length * (segments - 1) :])(input)


def _chained(functions: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        for function in functions:
            value = function(value)
        return value

    return run


class _Call:
    """One call of a checkpointed function."""

    def __init__(self, function: Callable[[], Any], args: Sequence[Any]) -> None:
        self._function = function
        self._state = random_state()
        self._versions = [(x.version, x.version.number) for x in args if hasattr(x, "node")]
        self._shapes: list[Any] = []
        self._values: dict[int, Any] = {}

    def drop(self, node: SavingNode) -> None:
        """Put the way to its values in place of what a new node has saved."""
        if _holds_arrays(node.saved):
            position = len(self._shapes)
            self._shapes.append(_shapes(node.saved))
            node.saved = lambda: self._take(position)

    def _take(self, position: int) -> Any:
        """Return the values of one node, which keeps them from now on."""
        if position not in self._values:
            # Not what comes later, where a pass asks for values before the first call is over.
            self._values = dict(enumerate(self._computed_again()[: len(self._shapes)]))
        return self._values.pop(position)

    def _computed_again(self) -> list[Any]:
        if any(version.number != number for version, number in self._versions):
            raise RuntimeError(
                "an argument of a checkpointed function was changed in place after the call began, "
                "so that it cannot be called again; change it after backward(), or a clone()"
            )
        values: list[Any] = []

        def keep(node: SavingNode) -> None:
            if _holds_arrays(node.saved):
                values.append(node.saved)

        with enable_grad(), self._state.restored(), _marked(), observing(keep, alone=True):
            self._function()
        shapes = [_shapes(value) for value in values]
        if shapes[: len(self._shapes)] != self._shapes:
            raise RuntimeError(
                "a checkpointed function recorded other operations when it was called again: "
                f"{len(self._shapes)} saved values at first and {len(shapes)} now, or of other "
                "shapes; it must depend on nothing but its arguments"
            )
        return values


def _holds_arrays(saved: Any) -> bool:
    return callable(saved) or any(hasattr(value, "dtype") for value in saved)


def _shapes(saved: Any) -> Any:
    """Return the shapes of saved values, those of an inner checkpoint as one unknown."""
    if callable(saved):
        return None
    return [getattr(value, "shape", None) for value in saved]


@contextmanager
def _marked() -> Iterator[None]:
    token = _recomputing.set(True)
    try:
        yield
    finally:
        _recomputing.reset(token)
