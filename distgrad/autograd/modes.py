"""Whether operations are recorded: a `ContextVar`, so threads and tasks stay apart."""

from collections.abc import Callable
from contextvars import ContextVar, Token
from functools import wraps
from types import TracebackType
from typing import ParamSpec, TypeVar

__all__ = ["enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_recording: ContextVar[bool] = ContextVar("distgrad_recording", default=True)


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded: True outside any `no_grad` block."""
    return _recording.get()


class set_grad_enabled:  # noqa: N801 (PyTorch's name)
    """Record operations, or not, within a ``with`` block or a decorated function.

    Args:
        mode: True to record.

    Example:
        >>> with set_grad_enabled(False):
        ...     is_grad_enabled()
        False
    """

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> None:
        self._tokens.append(_recording.set(self.mode))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _recording.reset(self._tokens.pop())

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Return ``function`` with every call of it inside such a block."""
        mode = self.mode

        @wraps(function)
        def decorated(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            with set_grad_enabled(mode):  # one for each call: calls may overlap in threads
                return function(*args, **kwargs)

        return decorated


class no_grad(set_grad_enabled):  # noqa: N801 (PyTorch's name)
    """Do not record operations: results need no gradient.

    Example:
        >>> import distgrad as dg
        >>> x = dg.ones(2, requires_grad=True)
        >>> with dg.no_grad():
        ...     (x * 2).requires_grad
        False
    """

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(set_grad_enabled):  # noqa: N801 (PyTorch's name)
    """Record operations again inside a `no_grad` block."""

    def __init__(self) -> None:
        super().__init__(True)
