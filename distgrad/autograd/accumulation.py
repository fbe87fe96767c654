"""``.grad``: how gradients are added to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import numpy as np

from distgrad.backend.devices import use_device_of

__all__ = ["accumulated", "add_to_grad", "add_to_graph_grad"]

_adding = RLock()
"""Several threads may run backward passes at a time, on graphs that share leaves."""


def add_to_grad(tensor: Any, gradient: Any) -> None:
    """Add an array to the gradient of a tensor, and call the hooks that wait for that."""
    with _adding if type(gradient) is np.ndarray else _adding_on_device_of(gradient):
        known = tensor.grad
        if known is None:
            # The array may be shared with other gradients, or be a read-only broadcast: copy it.
            tensor.grad = tensor.of(gradient.copy("K"))
        elif known.node is not None:
            tensor.grad = _fitting(known, gradient).detach() + gradient
        else:
            array = known.data
            if array.shape != gradient.shape:
                _fitting(known, gradient)
            array += gradient
            known.version.number += 1
    if tensor.node is not None and tensor.node.asked is not None:
        accumulated(tensor)


@contextmanager
def _adding_on_device_of(gradient: Any) -> Iterator[None]:
    with _adding, use_device_of(gradient):
        yield


def add_to_graph_grad(tensor: Any, gradient: Any) -> None:
    """Add a Tensor, with its place in a graph, to the gradient of another one."""
    with _adding:
        known = tensor.grad
        tensor.grad = gradient.clone() if known is None else _fitting(known, gradient) + gradient
    accumulated(tensor)


def _fitting(known: Any, gradient: Any) -> Any:
    """Return the gradient so far, refusing one to which no other can be added."""
    if known.shape != gradient.shape:
        raise RuntimeError(
            f".grad has shape {known.shape}, but the gradient has shape {gradient.shape}, as the "
            "tensor: assign a gradient of its shape, or None"
        )
    return known


def accumulated(tensor: Any) -> None:
    """Call the hooks that wait for the gradient of a leaf."""
    asked = tensor.node and tensor.node.asked
    if asked:
        for hook in tuple(asked.after_accumulation.values()):
            hook(tensor)
