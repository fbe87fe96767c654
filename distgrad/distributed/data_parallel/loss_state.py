"""What a recorded micro-batch takes for granted of the loss."""

from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

__all__ = ["LossState"]

_ABSENT = object()


class LossState:
    """What a function is made of, and what the names in it stood for, at one moment.

    Numbers and texts are compared by value and type, all else by identity: objects that change
    inside are not seen.
    """

    def __init__(self, loss: Any) -> None:
        self._code: CodeType | None = None
        self._names: list[str] = []
        self._kept = self._values(loss)

    def holds(self, loss: Any) -> bool:
        """Tell whether a function is this one, or another of the same definition and state."""
        kept, values = self._kept, self._values(loss)
        return (
            kept is not None
            and values is not None
            and len(kept) == len(values)
            and all(map(_is_same, kept, values))
        )

    def _values(self, loss: Any) -> list[Any] | None:
        """Return what a function can do depends on; None where a variable has no value yet."""
        values: list[Any] = []
        while type(loss) is partial:
            values += [*loss.args, *loss.keywords, *loss.keywords.values()]
            loss = loss.func
        function, owner = loss, None
        if type(loss) is MethodType:
            function, owner = loss.__func__, loss.__self__
        elif type(loss) is not FunctionType:
            function, owner = getattr(type(loss), "__call__", None), loss  # noqa: B004
        values.append(owner)
        if type(function) is not FunctionType:
            return [*values, loss if owner is None else function]
        code = function.__code__
        if code is not self._code:
            self._code, self._names = code, _names(code)
        names = self._names
        values.append(code)
        values += function.__defaults__ or ()
        values += (function.__kwdefaults__ or {}).values()
        outer, own = function.__globals__, getattr(owner, "__dict__", {})
        values += [outer.get(name, _ABSENT) for name in names]
        values += [own.get(name, _ABSENT) for name in names] if own else ()
        try:
            values += [cell.cell_contents for cell in function.__closure__ or ()]
        except ValueError:
            return None
        return values


def _names(code: CodeType) -> list[str]:
    """Return the names that a function and those within it look up."""
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return sorted({*code.co_names, *(name for part in inner for name in _names(part))})


def _is_same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if type(a) is not type(b) or not isinstance(a, int | float | complex | str | np.generic):
        return False
    return repr(a) == repr(b)  # tells 0.0 from -0.0, and finds nan in nan
