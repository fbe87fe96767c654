"""Matrix products by cublasLt; where it does not serve, or is not there, CuPy's."""

import math
from functools import cache
from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.cublaslt import (
    ALIGNMENT,
    CublasLt,
    Product,
    library,
    pointer,
    tf32,
)
from distgrad.backend.kernels.cuda.launching import device_of, served
from distgrad.backend.strided import strided

__all__ = ["COLUMN"]


@cache
def _cublas(xp: Namespace, _device: str) -> CublasLt | None:
    functions = library()
    return None if functions is None else CublasLt(xp, functions)


def multiplied(
    xp: Namespace,
    a: Array,
    b: Array,
    bias: Array | None = None,
    activation: str = "",
    out: Array | None = None,
) -> Any:
    """Return ``activation(a @ b + bias)`` of matrices, or of batches of as many.

    ``out`` is a new array's place, contiguous and at an address that algorithms may rely on.
    """
    if not served(a, b, bias) or min(a.ndim, b.ndim) < 2:
        return NotImplemented
    cublas = _cublas(xp, device_of(a))
    leading = a.shape[:-2] or b.shape[:-2]
    if cublas is None or any(x.shape[:-2] not in (leading, ()) for x in (a, b)):
        return NotImplemented
    (a, left), (b, right) = _readable(xp, a), _readable(xp, b)
    bias = None if bias is None else _aligned(xp.ascontiguousarray(bias))
    y = xp.empty((*leading, a.shape[-2], b.shape[-1]), a.dtype) if out is None else out
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
    return x if _is_aligned(x) else x.copy()


def _is_aligned(x: Array) -> bool:
    return (pointer(x).value or 0) % ALIGNMENT == 0


def matmul(xp: Namespace, a: Array, b: Array) -> Any:
    return multiplied(xp, a, b)


def product_into(xp: Namespace, a: Array, b: Array, out: Array) -> Any:
    if not served(a, b, out) or out.shape != (a.shape[0], b.shape[1]):
        return NotImplemented
    fits = out.flags.c_contiguous and _is_aligned(out)
    y = multiplied(xp, a, b, out=out if fits else None)
    if y is NotImplemented:
        return y
    if y is not out:
        out[...] = y
    return out


def linear(xp: Namespace, x: Array, weight: Array, bias: Array | None, activation: str = "") -> Any:
    if x.ndim < 2 or not x.size:
        return NotImplemented
    y = multiplied(xp, x.reshape(-1, x.shape[-1]), weight.T, bias, activation)
    return y if y is NotImplemented else y.reshape(*x.shape[:-1], weight.shape[0])


def linear_relu(xp: Namespace, x: Array, weight: Array, bias: Array | None) -> Any:
    return linear(xp, x, weight, bias, "relu")


def contraction(xp: Namespace, a: Array, b: Array, left: str, right: str, output: str) -> Any:
    found = _roles(left, right, output)
    if found is None or not _agree(left, a.shape, right, b.shape):
        return NotImplemented
    batch, rows, summed, columns = found
    lengths = {**dict(zip(left, a.shape, strict=True)), **dict(zip(right, b.shape, strict=True))}

    def matrices(x: Array, letters: str, down: str, along: str) -> Array:
        order = [letters.index(letter) for letter in (*batch, *down, *along)]
        shape = [math.prod(lengths[letter] for letter in part) for part in (batch, down, along)]
        return x.transpose(order).reshape(shape)

    y = multiplied(xp, matrices(a, left, rows, summed), matrices(b, right, summed, columns))
    if y is NotImplemented:
        return y
    made = batch + rows + columns
    y = y.reshape([lengths[letter] for letter in made])
    return y.transpose([made.index(letter) for letter in output])


def _roles(left: str, right: str, output: str) -> tuple[str, str, str, str] | None:
    """Return the letters of the batch, the rows, the sum and the columns of a product.

    None where it is none: nothing is summed, an operand names a letter twice, or has one alone that
    the result has not.
    """
    batch = "".join(letter for letter in output if letter in left and letter in right)
    rows = "".join(letter for letter in output if letter not in right)
    columns = "".join(letter for letter in output if letter not in left)
    summed = "".join(letter for letter in left if letter in right and letter not in output)
    whole = (sorted(batch + rows + summed), sorted(batch + summed + columns))
    fits = bool(summed) and whole == (sorted(left), sorted(right))
    return (batch, rows, summed, columns) if fits else None


def _agree(left: str, a: tuple[int, ...], right: str, b: tuple[int, ...]) -> bool:
    """Tell whether no axis of length 1 is stretched."""
    there = dict(zip(right, b, strict=True))
    return all(there.get(letter, n) == n for letter, n in zip(left, a, strict=True))


COLUMN = {
    "contraction": contraction,
    "linear": linear,
    "linear_relu": linear_relu,
    "matmul": matmul,
    "product": matmul,
    "product_into": product_into,
}
