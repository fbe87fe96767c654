"""Whether operations are recorded: a `ContextVar`, so threads and tasks stay apart."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Optional, Self, TypeVar, overload

from distgrad.autograd.decoration import run_inside

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Mode:
    """What holds now, and what comes back where the innermost block ends."""

    __slots__ = ("inference", "outside", "recording")

    def __init__(self, recording: bool, inference: bool, outside: Optional["_Mode"]) -> None:
        self.recording = recording
        self.inference = inference
        self.outside = outside


_PLAIN = _Mode(recording=True, inference=False, outside=None)
_mode: ContextVar[_Mode] = ContextVar("distgrad_mode", default=_PLAIN)
current_mode = _mode.get
"""Returns the mode; its ``recording`` is what `is_grad_enabled` tells."""


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded: True outside any `no_grad` block."""
    return _mode.get().recording


def is_inference_mode_enabled() -> bool:
    """Tell whether `inference_mode` is on.

    Example:
        >>> with inference_mode():
        ...     is_inference_mode_enabled()
        True
    """
    return _mode.get().inference


class _Block:
    """A ``with`` block or a decorator; it keeps no state, so one may serve several at a time."""

    def __enter__(self) -> None:
        mode = _mode.get()
        recording, inference = self._inside(mode)
        _mode.set(_Mode(recording, inference, mode))

    def __exit__(self, *error: object) -> None:
        mode = _mode.get()
        _mode.set(mode.outside or mode)  # a context that was not entered has nothing to go back to

    def _inside(self, mode: _Mode) -> tuple[bool, bool]:
        """Return whether the block records, and whether it is one of inference."""
        raise NotImplementedError

    def _again(self) -> Self:
        """Return the block of one call of a decorated function."""
        return self

    def __call__(self, function: _Function) -> _Function:
        """Return ``function`` with every call of it inside such a block."""
        return run_inside(self._again, f"{type(self).__name__}()", function)  # type: ignore[no-any-return]


class _Plain(_Block):
    """A block without arguments, which may decorate without parentheses."""

    @overload
    def __new__(cls, function: None = None) -> Self: ...
    @overload
    def __new__(cls, function: _Function) -> _Function: ...  # type: ignore[misc]

    def __new__(cls, function: Any = None) -> Any:
        block = super().__new__(cls)
        return block if function is None else block(function)


class no_grad(_Plain):  # noqa: N801 (PyTorch's name)
    """Do not record operations: results need no gradient.

    It holds within a ``with`` block, or in a decorated function: a plain one, a generator, a
    coroutine or an asynchronous generator; ``@no_grad`` and ``@no_grad()`` are the same. It holds
    for the current thread or asynchronous task: new threads record, new tasks do as the one that
    made them. Leaves that are made inside may still require a gradient.

    Raises:
        TypeError: If a class is decorated.

    Example:
        >>> import distgrad as dg
        >>> x = dg.ones(2, requires_grad=True)
        >>> with dg.no_grad():
        ...     (x * 2).requires_grad
        False
        >>> @dg.no_grad
        ... def double(x):
        ...     return x * 2
        >>> double(x).requires_grad
        False
    """

    def _inside(self, mode: _Mode) -> tuple[bool, bool]:
        return False, mode.inference


class enable_grad(_Plain):  # noqa: N801 (PyTorch's name)
    """Record operations again inside a `no_grad` block; used as it is.

    Example:
        >>> import distgrad as dg
        >>> x = dg.ones(2, requires_grad=True)
        >>> with dg.no_grad(), dg.enable_grad():
        ...     (x * 2).requires_grad
        True
    """

    def _inside(self, mode: _Mode) -> tuple[bool, bool]:
        return True, mode.inference


class set_grad_enabled(_Block):  # noqa: N801 (PyTorch's name)
    """Record operations from now on, or not; or within a ``with`` block or a decorated function.

    The mode changes at the call, as PyTorch's does. A ``with`` block brings back the mode from
    before the call; a decorator changes it in the function only.

    Args:
        mode: True to record.

    Raises:
        TypeError: If ``mode`` is not a bool.

    Example:
        >>> with set_grad_enabled(False):
        ...     is_grad_enabled()
        False
        >>> before = set_grad_enabled(False)
        >>> is_grad_enabled()
        False
        >>> now = set_grad_enabled(True)
    """

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(
                f"set_grad_enabled() takes True or False, got {mode!r}; to decorate, write "
                "@set_grad_enabled(True)"
            )
        self.mode = mode
        self._before = is_grad_enabled()
        _record(mode)

    def __enter__(self) -> None:
        _record(self.mode)

    def __exit__(self, *error: object) -> None:
        _record(self._before)

    def __call__(self, function: _Function) -> _Function:
        """Return ``function`` with every call of it inside such a block."""
        _record(self._before)
        return super().__call__(function)

    def _again(self) -> Self:
        return type(self)(self.mode)

    def __repr__(self) -> str:
        return f"set_grad_enabled(mode={self.mode})"


def _record(recording: bool) -> None:
    mode = _mode.get()
    _mode.set(_Mode(recording, mode.inference, mode.outside))


class inference_mode(_Block):  # noqa: N801 (PyTorch's name)
    """Do not record operations, as `no_grad`; used as it is, with or without parentheses.

    Tensors made inside are like any other. (PyTorch's may not be used in recorded operations, nor
    changed outside, and `enable_grad` does not record inside; here it does.)

    Args:
        mode: False to record instead.

    Raises:
        TypeError: If ``mode`` is neither a bool nor a function, or a class is decorated.

    Example:
        >>> import distgrad as dg
        >>> x = dg.ones(2, requires_grad=True)
        >>> with dg.inference_mode():
        ...     (x * 2).requires_grad
        False
    """

    def __new__(cls, mode: Any = True) -> Any:  # noqa: D102
        return super().__new__(cls) if isinstance(mode, bool) else cls()(mode)

    def __init__(self, mode: Any = True) -> None:
        self.mode = mode

    def _inside(self, mode: _Mode) -> tuple[bool, bool]:  # noqa: ARG002 (of every block)
        return not self.mode, self.mode
