"""bfloat16 in ops: computed in float32, and rounded once.

NumPy's and CuPy's own loops for bfloat16 round after each function, and an op is made of several;
some functions have none. So an op on such arrays computes in float32, by its function for that,
and its result is rounded. The gradient rules compute in float32 on what they get in bfloat16; the
engine rounds. What only moves values takes them as they are, and so does a kernel made for them.

The ops change when the first array of the type is in sight: others pay nothing for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np

from distgrad.backend.bfloat16 import bfloat16, when_used
from distgrad.backend.kernels import Kernel
from distgrad.ops.einstein import contraction, summed_products
from distgrad.ops.fused_attention import attention_x
from distgrad.ops.linalg import product
from distgrad.ops.op import Op, Rule
from distgrad.ops.products import column_sum

__all__ = ["widen_in_time"]

_SINGLE = np.dtype(np.float32)
_CALLED = (attention_x, column_sum, contraction, product, summed_products)
"""Kernels that are no ops, which gradient rules, and ops that only move values, call."""

_SERVING = {"einsum", "nextafter"}
"""Ops whose function serves the type: it moves values, calls such kernels, or counts in the bits.

Their gradient rules compute.
"""

_COMPUTING = {
    "cross_entropy_x",
    "embedding_table",
    "gelu_x",
    "normalize_input",
    "rms_normalize_input",
}
"""Kernels whose gradient rules, those of gradients, compute something besides calling kernels."""


def widen_in_time(names: Mapping[str, Any]) -> None:
    """Let the ops among named things compute on bfloat16 as soon as somebody uses it."""

    def widen() -> None:
        for op in {value for value in names.values() if isinstance(value, Op)}:
            _widen(op)
        for kernel in _CALLED:
            _widen_kernel(kernel)

    when_used(widen)


def _widen(op: Op) -> None:
    if not op.moves:
        if isinstance(op.forward, Kernel):
            _widen_kernel(op.forward)
        elif op.name not in _SERVING:
            op.forward = _computing(op.forward, op.forward)
        op.rules = {name: _widened(op, rule) for name, rule in op.rules.items()}
        op.shared_rule = op.shared_rule and _widened(op, op.shared_rule)
    for made in op.made:
        op.__dict__.pop(made, None)  # they are made anew, of what is there now


def _widen_kernel(kernel: Kernel) -> None:
    """Let a kernel that does not serve bfloat16 compute in float32, by whatever serves that."""
    kernel.reference = _computing(kernel.reference, kernel)


def _computing(function: Callable[..., Any], wide: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function``, or on arrays of bfloat16 ``wide`` in float32, and rounded."""
    half = np.dtype(bfloat16())

    @wraps(function)
    def compute(xp: Any, *args: Any, **attributes: Any) -> Any:
        types = [x.dtype for x in args if hasattr(x, "dtype")]
        if half not in types:
            return function(xp, *args, **attributes)
        named = {name: _wide(value) for name, value in attributes.items()}
        y = wide(xp, *map(_wide, args), **named)
        alone = all(dtype == half or dtype.kind != "f" for dtype in types)
        return y.astype(half) if alone and y.dtype == _SINGLE else y

    return compute


def _widened(op: Op, rule: Rule) -> Rule:
    """Return a gradient rule that gets float32 in place of bfloat16."""
    function = rule.function
    if function.__code__.co_code == _passing.__code__.co_code:
        return rule
    kernel = op.forward if op.name not in _COMPUTING and isinstance(op.forward, Kernel) else None

    @wraps(function)
    def run(xp: Any, g: Any, *needs: Any) -> Any:
        if kernel and xp is not np and kernel.stands_in(xp):
            return function(xp, g, *needs)  # each of which rounds once
        return function(xp, _wide(g), *map(_wide, needs))

    return replace(rule, function=run)


def _passing(xp: Any, g: Any) -> Any:
    return g


def _wide(value: Any) -> Any:
    """Return arrays, and Tensors, of bfloat16 in float32, and anything else as it is."""
    if isinstance(value, list | tuple):
        return type(value)(map(_wide, value)) if value and not hasattr(value, "_fields") else value
    half = getattr(value, "dtype", None) == np.dtype(bfloat16())
    return value.astype(_SINGLE) if half else value
