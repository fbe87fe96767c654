"""Anomaly mode: says which line of the forward pass a gradient of nan came from."""

import traceback
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any

from distgrad.autograd.backward import BackwardPass, fitted
from distgrad.autograd.node import Leaf, Node
from distgrad.autograd.observing import observers
from distgrad.backend import to_host

__all__ = ["detect_anomaly", "is_anomaly_enabled", "pass_type", "set_detect_anomaly"]

_PACKAGE = str(Path(__file__).resolve().parents[1])

_check_nan: ContextVar[bool] = ContextVar("distgrad_check_nan", default=True)


class set_detect_anomaly:  # noqa: N801 (PyTorch's name)
    """Turn anomaly mode on or off in the current context, at once; see `detect_anomaly`.

    As a context manager it puts things back at the end of the ``with`` block.

    Args:
        mode: Whether operations remember the line that recorded them.
        check_nan: Whether a nan in a gradient raises.

    Example:
        >>> with set_detect_anomaly(True):
        ...     is_anomaly_enabled()
        True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = observers.get(), _check_nan.get()
        others = tuple(observer for observer in observers.get() if observer != _remember_line)
        observers.set((_remember_line, *others) if mode else others)
        _check_nan.set(check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        before, check_nan = self._before
        observers.set(before)
        _check_nan.set(check_nan)


class detect_anomaly(set_detect_anomaly):  # noqa: N801 (PyTorch's name)
    """Find where nan comes into the gradients: what is recorded here remembers its line.

    An exception in the backward pass names the line of the forward pass that recorded the
    operation; with ``check_nan`` a nan in a gradient is one. It takes several times as long as
    usual: a mode for the search, not for training.

    Args:
        check_nan: Whether a nan in a gradient raises.

    Raises:
        RuntimeError: From `backward` or `grad`: names the operation and the input; a note of the
            error has the line.

    Example:
        >>> import distgrad as dg
        >>> x = dg.zeros(1, requires_grad=True)
        >>> with detect_anomaly():
        ...     (x.sqrt() * 0).sum().backward()
        Traceback (most recent call last):
            ...
        RuntimeError: the gradient that 'sqrt' passes to an input of shape (1,) has nan elements...
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)


def is_anomaly_enabled() -> bool:
    """Tell whether the current context is in anomaly mode."""
    return _remember_line in observers.get()


def pass_type() -> type[BackwardPass]:
    """Return what makes a backward pass of the current mode."""
    return _NamingPass if is_anomaly_enabled() else BackwardPass


def _remember_line(node: Node) -> None:
    frames = [f for f in traceback.extract_stack() if not f.filename.startswith(_PACKAGE)]
    node.ask().recorded_at = "".join(traceback.format_list(frames))


class _NamingPass(BackwardPass):
    """A backward pass whose errors name the line of the forward pass."""

    def explain(self, error: Exception) -> None:
        if self.visited is not None:
            error.add_note(_line(self.visited))

    def send(self, node: Node, gradient: Any) -> None:
        gradient = fitted(gradient, node.like() if type(node) is Leaf else node)
        if self.visited is not None and _check_nan.get() and _has_nan(gradient):
            raise RuntimeError(
                f"the gradient that {self.visited.name!r} passes to an input of shape "
                f"{gradient.shape} has nan elements"
            )
        super().send(node, gradient)


def _has_nan(gradient: Any) -> bool:
    array = gradient.data if hasattr(gradient, "node") else gradient
    if array.dtype is None:  # of a Function: its parts were looked at one by one
        return False
    return bool(to_host((array != array).any()))


def _line(node: Node) -> str:
    lines = node.asked.recorded_at if node.asked else ""
    if not lines:
        return f"{node.name!r} was recorded outside anomaly mode, so its line is not known"
    return f"{node.name!r} was recorded at (most recent call last):\n{lines}"
