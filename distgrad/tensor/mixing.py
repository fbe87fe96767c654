"""Operands that lie on different devices."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from distgrad import ops
from distgrad.backend import MixedDevices, array_namespace, device_name, to_device, to_host
from distgrad.backend.lacking import is_writeable, set_at
from distgrad.ops import Op
from distgrad.tensor.operands import raw

__all__ = ["brought_together", "placed_index", "write"]


def brought_together(apply: Any, op: Op, args: Sequence[Any]) -> list[Any]:
    """Return the inputs of an op on one device: numbers, Tensors of no axes, go to the others.

    Args:
        apply: What runs an op on Tensors and records it.
        op: The op.
        args: Its inputs.

    Raises:
        MixedDevices: If others than numbers would have to move.
    """
    placed = {i: device_name(raw(x)) for i, x in enumerate(args) if hasattr(x, "dtype")}
    fixed = {name for i, name in placed.items() if name != "cpu" or args[i].ndim}
    if len(fixed) != 1 or "cpu" not in placed.values():
        listed = " and ".join(f"{placed[i]} (shape {args[i].shape})" for i in placed)
        raise MixedDevices(
            f"{op.name}() takes inputs on one device, that which this thread computes on; got "
            f"{listed}: move them with .to(), or choose the GPU with distgrad.cuda.set_device()"
        )
    (device,) = fixed
    return [_moved(apply, x, device) if placed.get(i) == "cpu" else x for i, x in enumerate(args)]


def _moved(apply: Any, x: Any, device: str) -> Any:
    if hasattr(x, "node"):
        return apply(ops.to_device, x, device=device, origin="cpu")
    return to_device(x, device)


def placed_index(index: Any, target: Any) -> Any:
    """Return a raw index for an array: what counts places is moved to a GPU with it."""
    if type(target) is np.ndarray:
        return index
    if isinstance(index, tuple):
        return tuple([placed_index(part, target) for part in index])
    return to_device(index, device_name(target)) if isinstance(index, np.ndarray) else index


def write(target: Any, index: Any, values: Any) -> None:
    """Set elements of a raw array to values that may lie elsewhere; where it repeats, the last.

    Raises:
        ValueError: If they do not fit, or the array is not writeable.
    """
    if type(target) is np.ndarray:
        plain = type(values) is np.ndarray or not hasattr(values, "dtype")
        target[index] = values if plain else to_host(values)
        return
    if not is_writeable(target):
        raise ValueError("several elements of the array are the same place")
    values = to_device(values, device_name(target)) if hasattr(values, "dtype") else values
    set_at(array_namespace(target), target, values, index)
