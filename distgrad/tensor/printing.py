"""The text of a Tensor: PyTorch's, so that what is printed can be compared."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from distgrad.backend import Array, array_namespace, device_name, to_host
from distgrad.backend.devices import use_device
from distgrad.backend.dtypes import DEFAULT_FLOAT, is_floating

__all__ = ["set_printoptions", "text_of"]


@dataclass(frozen=True)
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=float("inf")),
}
_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose how tensors are printed, in the whole program.

    Args:
        precision: Digits behind the point. Default: 4.
        threshold: From how many elements on the middle is left out. Default: more than 1000.
        edgeitems: How many are printed at each end then. Default: 3.
        linewidth: Characters in a line. Default: 80.
        profile: ``"default"``, ``"short"`` or ``"full"``: values for all, before the others.
        sci_mode: Whether numbers have an exponent. Default: where they differ by more than a
            factor of 1000, are larger than 1e8 or smaller than 1e-4.

    Raises:
        ValueError: If there is no such profile.

    Example:
        >>> import distgrad as dg
        >>> set_printoptions(precision=2)
        >>> dg.tensor([1 / 3])
        tensor([0.33])
        >>> set_printoptions(profile="default")
    """
    global _options  # noqa: PLW0603  of texts only: no result depends on it
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"profile must be one of {', '.join(_PROFILES)}, got {profile!r}")
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    start = _options if profile is None else _PROFILES[profile]
    chosen = {name: value for name, value in given.items() if value is not None}
    _options = replace(start, **chosen, sci_mode=sci_mode)  # type: ignore[arg-type]


def text_of(tensor: Any) -> str:
    """Return the text of a Tensor: its elements, and what does not follow from them."""
    plain = type(tensor).__module__.startswith("distgrad.")
    prefix = "tensor(" if plain else f"{type(tensor).__name__}("
    text = prefix + _elements(tensor.data, len(prefix))
    used = len(text) - text.rfind("\n") + 1
    for suffix in _suffixes(tensor):
        if used + len(suffix) + 2 > _options.linewidth:
            text += f",\n{' ' * len(prefix)}{suffix}"
            used = len(prefix) + len(suffix)
        else:
            text += f", {suffix}"
            used += len(suffix) + 2
    return f"{text})"


def _suffixes(tensor: Any) -> list[str]:
    """Return what is said behind the elements."""
    suffixes = []
    if not tensor.is_cpu:
        suffixes.append(f"device={str(tensor.device)!r}")
    empty = not tensor.numel()
    if tensor.ndim != 1 if empty else not _options.edgeitems:
        suffixes.append(f"size={tensor.shape}")
    if tensor.dtype != DEFAULT_FLOAT and (empty or tensor.dtype.name not in ("int64", "bool")):
        suffixes.append(f"dtype={tensor.dtype}")
    if tensor.grad_fn is not None:
        suffixes.append(f"grad_fn={tensor.grad_fn!r}")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    return suffixes


def _elements(array: Array, indent: int) -> str:
    if not array.size:
        return "[]"
    with use_device(device_name(array)):  # which the thread need not compute on
        shown = array
        if array.size > _options.threshold:
            for axis in range(array.ndim):
                shown = _ends(shown, axis)
        shown = to_host(shown)
    return _nested(shown.tolist(), array.shape, shown.shape, indent, _writing(shown))


def _ends(array: Array, axis: int) -> Array:
    """Return an array without the middle of a long axis."""
    edge = _options.edgeitems
    if array.shape[axis] <= 2 * edge:
        return array
    places = [*range(edge), *range(array.shape[axis] - edge, array.shape[axis])]
    return array.take(array_namespace(array).asarray(places, dtype=int), axis)


class _Writing(NamedTuple):
    """How one element becomes text."""

    write: Callable[[Any], str]
    width: int

    def __call__(self, value: Any) -> str:
        return self.write(value).rjust(self.width)


def _writing(shown: Array) -> _Writing:
    """Return how the elements are written, all of them alike."""
    if not is_floating(shown.dtype):
        return _Writing(str, max(map(len, map(str, shown.reshape(-1).tolist())), default=1))
    finite = shown[np.isfinite(shown) & (shown != 0)].astype(np.float64)
    if not finite.size:
        return _Writing(_whole, 1)
    scientific = _options.sci_mode
    if scientific is None:
        low, high = float(np.abs(finite).min()), float(np.abs(finite).max())
        scientific = high / low > 1000 or high > 1e8 or low < 1e-4
    write: Callable[[Any], str]
    if scientific:
        write = f"{{:.{_options.precision}e}}".format
    elif (finite == np.ceil(finite)).all():
        write = _whole
    else:
        write = f"{{:.{_options.precision}f}}".format
    return _Writing(write, max(map(len, map(write, finite.tolist()))))


def _whole(value: float) -> str:
    return f"{value:.0f}." if isfinite(value) else f"{value:.0f}"


def _nested(
    values: Any, shape: tuple[int, ...], shown: tuple[int, ...], indent: int, writing: _Writing
) -> str:
    """Return nested lists of values as text.

    Args:
        values: What is shown, as nested lists.
        shape: The lengths of the axes.
        shown: How much of them is shown.
        indent: Where in its line the text begins.
        writing: How a value is written.
    """
    if not shape:
        return writing(values)
    per_line = 1
    if len(shape) == 1:
        parts = [writing(value) for value in values]
        per_line = max(1, (_options.linewidth - indent) // (writing.width + 2))
    else:
        parts = [_nested(value, shape[1:], shown[1:], indent + 1, writing) for value in values]
    if shown[0] < shape[0]:
        parts.insert(_options.edgeitems, " ..." if len(shape) == 1 and parts else "...")
    lines = [", ".join(parts[i : i + per_line]) for i in range(0, len(parts), per_line)]
    between = "," + "\n" * max(1, len(shape) - 1) + " " * (indent + 1)
    return f"[{between.join(lines)}]"
