"""Running ops without NumPy's warnings: infinities and nan are results, as in PyTorch."""

import threading
from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import Any

import numpy as np

from distgrad.backend import Namespace
from distgrad.ops import Op

__all__ = ["quiet", "run_inside", "started"]

_inside: ContextVar[bool] = ContextVar("distgrad_inside_an_operation", default=False)

quiet = threading.local()
"""Its ``run`` calls functions without warnings; a thread has it from its first operation on.

NumPy looks for its warnings' setting in the current context. To enter a context that has it costs
a tenth of `numpy.errstate`; a context serves one thread at a time.
"""


def started() -> Callable[..., Any]:
    """Return ``quiet.run``, which the thread has now."""
    if not hasattr(quiet, "run"):
        context = Context()
        context.run(np.seterr, all="ignore")
        context.run(_inside.set, True)
        quiet.run = context.run
    return quiet.run  # type: ignore[no-any-return]


def run_inside(op: Op, xp: Namespace, *arrays: Any, **attributes: Any) -> Any:
    """Run an op that is the first of the thread, or in the middle of another one.

    In the middle of one runs what a signal handler or a finalizer does. `quiet` has refused the op,
    or else the op itself has raised the error that is being handled.
    """
    if not hasattr(quiet, "run"):
        return started()(op.forward, xp, *arrays, **attributes)
    if not _inside.get():
        raise  # noqa: PLE0704 (that error)
    return op.forward(xp, *arrays, **attributes)


started()  # here, so that an error in the first operation stands alone
