"""GELU and its derivative, and that of a rectifier.

The bias of the linear layer before a GELU is not added here: the product writes it with its result,
and the backward pass needs that result. One kernel for both would read and write as many bytes.
"""

from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.kernels.cuda.launching import by_element, launch, served

__all__ = ["COLUMN"]


def gelu(xp: Namespace, x: Array, approximate: str = "none") -> Any:
    if not served(x):
        return NotImplemented
    x = xp.ascontiguousarray(x)
    y = xp.empty_like(x)
    launch(xp, "elementwise.gelu", x.dtype, by_element(x), y, x, int(approximate == "none"), x.size)
    return y


def gelu_x(xp: Namespace, g: Array, x: Array, approximate: str) -> Any:
    if not served(g, x) or g.shape != x.shape:
        return NotImplemented
    g, x = xp.ascontiguousarray(g), xp.ascontiguousarray(x)
    y = xp.empty_like(x)
    exact = int(approximate == "none")
    launch(xp, "elementwise.gelu_x", x.dtype, by_element(x), y, g, x, exact, x.size)
    return y


def relu_x(xp: Namespace, g: Array, out: Array) -> Any:
    if not served(g, out) or g.shape != out.shape:
        return NotImplemented
    order = sorted(range(out.ndim), key=lambda axis: -out.strides[axis])  # images stay as they lie
    g, out = (xp.ascontiguousarray(array.transpose(order)) for array in (g, out))
    y = xp.empty_like(out)
    launch(xp, "elementwise.relu_x", out.dtype, by_element(out), y, g, out, out.size)
    return y.transpose([order.index(axis) for axis in range(len(order))])


COLUMN = {
    "gelu": gelu,
    "gelu_x": gelu_x,
    "relu_x": relu_x,
}
