"""Hooks around an optimizer's step."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

__all__ = ["StepPostHook", "StepPreHook", "with_hooks"]

StepPreHook: TypeAlias = Callable[
    [Any, tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]] | None
]
"""Is given an optimizer and what its step is called with, and may return that anew."""

StepPostHook: TypeAlias = Callable[[Any, tuple[Any, ...], dict[str, Any]], None]
"""Is given an optimizer and what its step was called with."""


def with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return the step of an optimizer class with the optimizer's hooks called around it.

    A step that calls the one of its base class is one step.
    """

    @wraps(step)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        before, after = self._step_pre_hooks, self._step_post_hooks
        if not (before or after) or self._in_hooked_step:
            return step(self, *args, **kwargs)
        self._in_hooked_step = True
        try:
            for hook in tuple(before.values()):
                args, kwargs = _arguments(hook(self, args, kwargs), args, kwargs)
            result = step(self, *args, **kwargs)
            for hook in tuple(after.values()):
                hook(self, args, kwargs)
        finally:
            self._in_hooked_step = False
        return result

    return hooked


def _arguments(returned: Any, args: Any, kwargs: Any) -> Any:
    if returned is None:
        return args, kwargs
    if isinstance(returned, tuple) and len(returned) == 2:
        return returned
    raise RuntimeError(
        f"a step pre-hook returns None or a pair (args, kwargs) for the step, but got {returned!r}"
    )
