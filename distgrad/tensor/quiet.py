"""Running ops without NumPy's warnings: infinities and nan are results, as in PyTorch."""

import threading
from contextvars import Context, ContextVar
from typing import Any

import numpy as np

from distgrad.backend import Namespace
from distgrad.ops import Op

__all__ = ["quiet", "run_inside"]

_inside: ContextVar[bool] = ContextVar("distgrad_inside_an_operation", default=False)


class _Quiet(threading.local):
    """Runs functions without warnings.

    NumPy looks for its warnings' setting in the current context. To enter a context that has it
    costs a tenth of `numpy.errstate`; a context serves one thread at a time.
    """

    def __init__(self) -> None:
        context = Context()
        context.run(np.seterr, all="ignore")
        context.run(_inside.set, True)
        self.run = context.run


quiet = _Quiet()


def run_inside(op: Op, xp: Namespace, *arrays: Any, **attributes: Any) -> Any:
    """Run an op in the middle of another one, as a signal handler or a finalizer may.

    `quiet` has refused it, or else the op itself has raised the error that is being handled.
    """
    if not _inside.get():
        raise  # noqa: PLE0704 (that error)
    return op.forward(xp, *arrays, **attributes)
