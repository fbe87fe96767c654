"""NumPy without its warnings: infinities and nan are results, as in PyTorch."""

from contextvars import Context, Token
from typing import Any

import numpy as np

__all__ = ["quietly"]


def _setting() -> Any:
    """Return the context variable that NumPy keeps its warnings' setting in, and that for none."""
    context = Context()
    context.run(np.seterr, all="ignore")
    ((variable, value),) = context.items()
    return variable, value


_variable, _none = _setting()


class quietly:  # noqa: N801 (as `numpy.errstate`)
    """A ``with`` block as ``numpy.errstate(all="ignore")``, in a third of its time.

    Example:
        >>> with quietly():
        ...     float(np.ones(1)[0] / np.zeros(1)[0])
        inf
    """

    __slots__ = ("_token",)
    _token: Token[Any]

    def __enter__(self) -> None:
        self._token = _variable.set(_none)

    def __exit__(self, *error: object) -> None:
        _variable.reset(self._token)
