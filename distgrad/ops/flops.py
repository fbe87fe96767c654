"""The floating-point operations of matrix products, convolutions and recurrent layers.

A multiplication and the addition of its result count as two; a bias, and all ops that are not
listed here, count as nothing. That is the convention of PyTorch's ``FlopCounterMode``.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from distgrad.ops.attention import attention_mix, attention_scores
from distgrad.ops.conv import conv2d, conv2d_weight, conv_transpose2d
from distgrad.ops.einstein import einsum, explicit
from distgrad.ops.fused_linear import linear_relu
from distgrad.ops.gru import gru
from distgrad.ops.linalg import dot, linear, matmul
from distgrad.ops.lstm import lstm
from distgrad.ops.rnn import rnn

__all__ = ["count_flops"]


def count_flops(
    forward: Callable[..., Any], inputs: tuple[Any, ...], attributes: dict[str, Any], output: Any
) -> int:
    """Return how many operations one run of an op took.

    Args:
        forward: The op's function.
        inputs: The arrays that it was given.
        attributes: Its attributes.
        output: The array that it returned.

    Example:
        >>> a, b = np.ones((2, 3)), np.ones((3, 5))
        >>> count_flops(matmul.forward, (a, b), {}, a @ b)
        60
    """
    products = _PRODUCTS.get(forward) or _PRODUCTS.get(getattr(forward, "__wrapped__", forward))
    return 0 if products is None else 2 * int(products(output, *inputs, **attributes))


def _of_einsum(y, *operands, subscripts):
    """Contract two operands after the other, in NumPy's order."""
    terms, result = explicit(subscripts, tuple(x.ndim for x in operands))
    unique = "".join(dict.fromkeys(result))
    lengths = {
        letter: length
        for term, x in zip(terms, operands, strict=True)
        for letter, length in zip(term, x.shape, strict=True)
        if length != 1
    }
    path, _ = np.einsum_path(f"{','.join(terms)}->{unique}", *operands, optimize=True)
    left, total = [set(term) for term in terms], 0
    for step in path[1:]:
        met = [left.pop(place) for place in sorted(step, reverse=True)]
        letters = set().union(*met)
        if len(met) > 1:
            total += math.prod(lengths.get(letter, 1) for letter in letters)
        left.append(letters & set(unique).union(*left))
    return total


def _of_lstm(y, given, hidden, width, spans):
    projected = 0 if width == hidden else 1
    return _rows(spans) * (4 + projected) * hidden * width


def _rows(spans):
    return max(end for _, end in spans)


_PRODUCTS: dict[Callable[..., Any], Callable[..., Any]] = {
    dot.forward: lambda y, a, _b: y.size * a.shape[-1],
    matmul.forward: lambda y, a, _b: y.size * a.shape[-1],
    linear.forward: lambda y, _x, weight, _bias: y.size * weight.shape[1],
    linear_relu.forward: lambda y, _x, weight, _bias: y.size * weight.shape[1],
    attention_scores.forward: lambda y, query, *_, **__: y.size * query.shape[-1],
    attention_mix.forward: lambda y, _weights, value: y.size * value.shape[-2],
    conv2d.forward: lambda y, _x, weight, *_, **__: y.size * weight[0].size,
    conv_transpose2d.forward: lambda _y, x, weight, *_, **__: x.size * weight[0].size,
    conv2d_weight.forward: lambda y, _x, above, **_: above.size * y[0].size,
    einsum.forward: _of_einsum,
    rnn.forward: lambda _y, _given, hidden, spans, **_: _rows(spans) * hidden**2,
    lstm.forward: _of_lstm,
    gru.forward: lambda _y, _given, hidden, spans: _rows(spans) * 3 * hidden**2,
}
"""How many products of two numbers an op adds up, from its output, inputs and attributes."""
