"""Functions that schedules are made of, in the state of a schedule.

A function or a lambda expression cannot be saved, and is given again when the schedule is made. An
object that can be called may remember something: that is saved.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

__all__ = ["state_of", "with_state"]

F = TypeVar("F", bound=Callable[..., Any] | None)


def state_of(function: Callable[..., Any] | None) -> dict[str, Any] | None:
    """Return the attributes of an object that can be called; None for a function."""
    if isinstance(function, FunctionType | type) or not hasattr(function, "__dict__"):
        return None
    return dict(vars(function))


def with_state(function: F, state: dict[str, Any] | None) -> F:
    """Return the function; an object has the attributes that were saved."""
    if state is not None:
        vars(function).update(state)
    return function
