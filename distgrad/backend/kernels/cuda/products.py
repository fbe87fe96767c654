"""Matrix products by cublasLt; where it does not serve, or is not there, CuPy's."""

from functools import cache
from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.cublaslt import (
    ALIGNMENT,
    CublasLt,
    Product,
    library,
    pointer,
    strided,
    tf32,
)
from distgrad.backend.kernels.cuda.launching import device_of, served

__all__ = ["COLUMN"]


@cache
def _cublas(xp: Namespace, _device: str) -> CublasLt | None:
    functions = library()
    return None if functions is None else CublasLt(xp, functions)


def multiplied(
    xp: Namespace, a: Array, b: Array, bias: Array | None = None, activation: str = ""
) -> Any:
    """Return ``activation(a @ b + bias)`` of matrices, or of batches of as many."""
    if not served(a, b, bias) or min(a.ndim, b.ndim) < 2:
        return NotImplemented
    cublas = _cublas(xp, device_of(a))
    leading = a.shape[:-2] or b.shape[:-2]
    if cublas is None or any(x.shape[:-2] not in (leading, ()) for x in (a, b)):
        return NotImplemented
    (a, left), (b, right) = _readable(xp, a), _readable(xp, b)
    bias = None if bias is None else _aligned(xp.ascontiguousarray(bias))
    y = xp.empty((*leading, a.shape[-2], b.shape[-1]), a.dtype)
    result = strided(y.shape, y.strides, y.itemsize)
    assert result is not None  # what is new is contiguous
    batch = y.size // (y.shape[-2] * y.shape[-1])
    how = batch, bias is not None, activation, tf32()
    product = Product(a.dtype.name, right, left, result, *how)
    return y if cublas.multiply(product, b, a, y, bias) else NotImplemented


def _readable(xp: Namespace, x: Array) -> tuple[Array, Any]:
    """Return an array that cublasLt can read, a copy if need be, and how it reads it."""
    x = _aligned(x)
    found = strided(x.shape, x.strides, x.itemsize)
    if found is None:
        x = xp.ascontiguousarray(x)
        found = strided(x.shape, x.strides, x.itemsize)
    return x, found


def _aligned(x: Array) -> Array:
    """Return an array whose address the library's algorithms may rely on."""
    return x.copy() if (pointer(x).value or 0) % ALIGNMENT else x


def matmul(xp: Namespace, a: Array, b: Array) -> Any:
    return multiplied(xp, a, b)


def linear(xp: Namespace, x: Array, weight: Array, bias: Array | None) -> Any:
    if x.ndim < 2:
        return NotImplemented
    y = multiplied(xp, x.reshape(-1, x.shape[-1]), weight.T, bias)
    return y if y is NotImplemented else y.reshape(*x.shape[:-1], weight.shape[0])


COLUMN = {"linear": linear, "matmul": matmul, "product": matmul}
