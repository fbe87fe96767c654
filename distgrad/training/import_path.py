"""What stands behind an import path, "package.module:callable"."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from distgrad.training.problems import known_names

__all__ = ["imported"]


def imported(path: str) -> Callable[..., Any]:
    """Return the callable of an import path.

    Raises:
        ValueError: If there is none; the message names the nearest.

    Example:
        >>> imported("math:sqrt")(9)
        3.0
    """
    module_name, colon, attribute = path.partition(":")
    if not colon:
        raise ValueError(f'{path!r} is no import path; write it as "package.module:callable"')
    try:
        module = import_module(module_name)
    except (ImportError, ValueError) as error:
        raise ValueError(f"the module {module_name!r} cannot be imported ({error})") from error
    found: Callable[..., Any] | None = getattr(module, attribute, None)
    if found is None or not callable(found):
        callables = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
        raise ValueError(
            f"the module {module_name!r} has no callable {attribute!r}; "
            f"{known_names(attribute, callables)}"
        )
    return found
