"""What the functions of elements and the reductions refuse: the rule, the numbers, the way out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import distgrad as dg

X, WHOLE, TRUTH = dg.tensor([1.0, 2.0]), dg.tensor([1, 2]), dg.tensor([True, False])
MATRIX = dg.zeros(2, 3)

REFUSED: list[tuple[type[Exception], str, Callable[[], Any]]] = [
    (
        RuntimeError,
        r"add\(\): the factor 0.5 must be a whole number.*int64",
        lambda: WHOLE.add(1, alpha=0.5),
    ),
    (RuntimeError, r"add\(\): the factor True must be a number", lambda: WHOLE.add(1, alpha=True)),
    (RuntimeError, r"addcmul\(\): the factor 0.5", lambda: WHOLE.addcmul(WHOLE, WHOLE, value=0.5)),
    (RuntimeError, r"sub\(\) takes numbers.*use ~ or \^", lambda: dg.sub(TRUTH, X)),
    (RuntimeError, r"rsub\(\) takes numbers", lambda: dg.rsub(X, True)),
    (RuntimeError, r"neg\(\) takes numbers, not truth values; convert", lambda: dg.neg(TRUTH)),
    (RuntimeError, r"relu\(\) takes numbers, not truth values", lambda: dg.relu(TRUTH)),
    (
        ValueError,
        r'must be None, "trunc" or "floor", got \'up\'',
        lambda: X.div(2, rounding_mode="up"),
    ),
    (RuntimeError, r"floor_divide\(\) of whole numbers by 0; convert", lambda: WHOLE // 0),
    (RuntimeError, r"remainder\(\) of whole numbers by 0", lambda: 3 % (WHOLE - 1)),
    (RuntimeError, r"fmod\(\) takes numbers, not truth values", lambda: dg.fmod(TRUTH, True)),
    (TypeError, r"pow\(\) takes at least one Tensor or array, got 2 and 3", lambda: dg.pow(2, 3)),
    (TypeError, "takes at least one Tensor or array, got 2 and 3", lambda: dg.remainder(2, 3)),
    (TypeError, "takes at least one Tensor or array, got 2 and 3", lambda: dg.xlogy(2, 3)),
    (ValueError, "[Nn]egative integer powers", lambda: WHOLE**-1),
    (
        TypeError,
        "maximum.. takes two Tensors or arrays, got Tensor and int; clamp",
        lambda: X.maximum(2),
    ),
    (TypeError, r"fmin\(\) takes a Tensor or an array first, got int 2", lambda: dg.fmin(2, X)),
    (
        TypeError,
        r"eq\(\) takes a Tensor or an array first, got int 2; make it one",
        lambda: dg.eq(2, X),
    ),
    (
        TypeError,
        r"equal\(\) takes Tensors, arrays and numbers, got Tensor and str",
        lambda: X.eq("x"),
    ),
    (
        TypeError,
        r"logical_or\(\) takes two Tensors or arrays, got Tensor and bool",
        lambda: X.logical_or(True),
    ),
    (TypeError, r"atan2\(\) takes two Tensors or arrays, got float", lambda: X.atan2(1.0)),
    (
        RuntimeError,
        r"hypot\(\) takes two tensors, one of floating.*int64 and int64",
        lambda: WHOLE.hypot(WHOLE),
    ),
    (RuntimeError, r"logaddexp\(\) takes two tensors.*float32 and int", lambda: X.logaddexp(1)),
    (
        RuntimeError,
        r"addcdiv\(\) divides floating-point tensors, got int64 and int64",
        lambda: X.addcdiv(WHOLE, WHOLE),
    ),
    (
        RuntimeError,
        r"lerp\(\): end must have the data type float32",
        lambda: X.lerp(X.double(), 0.5),
    ),
    (RuntimeError, r"lerp\(\): weight must have", lambda: X.lerp(X, X.double())),
    (
        RuntimeError,
        r"lerp\(\) takes a floating-point tensor, not int64",
        lambda: WHOLE.lerp(WHOLE, 0.5),
    ),
    (
        RuntimeError,
        r"round\(\): decimals=2 needs a floating-point",
        lambda: WHOLE.round(decimals=2),
    ),
    (
        RuntimeError,
        r"frac\(\) takes a floating-point tensor, not int64; convert",
        WHOLE.frac,
    ),
    (
        RuntimeError,
        r"isclose\(\) compares tensors of one data type, got float32 and int64",
        lambda: X.isclose(WHOLE),
    ),
    (RuntimeError, r"must not be negative, got rtol=1, atol=-1", lambda: X.isclose(X, 1, -1)),
    (TypeError, r"where\(\) takes a condition alone, or with both", lambda: dg.where(TRUTH, X)),
    (IndexError, r"from -2 to 1 .* got 2", lambda: MATRIX.sum(2)),
    (IndexError, r"from -1 to 0 for a tensor of shape \(2,\), got 1", lambda: dg.cumsum(X, 1)),
    (
        RuntimeError,
        r"dim names an axis twice: \(0, -2\) for a tensor of shape",
        lambda: MATRIX.mean((0, -2)),
    ),
    (TypeError, r"prod\(\) takes one dim, got \(0, 1\)", lambda: MATRIX.prod((0, 1))),
    (TypeError, r"argmax\(\) takes one dim", lambda: MATRIX.argmax((0,))),
    (IndexError, r"max\(\): dim 0 of shape \(0, 2\) has no element", lambda: dg.zeros(0, 2).max(0)),
    (RuntimeError, r"argmin\(\) takes numbers, not truth values", TRUTH.argmin),
    (RuntimeError, r"median\(\) takes numbers, not truth values", lambda: dg.median(TRUTH)),
    (
        TypeError,
        r"var\(\) takes unbiased or correction, not both",
        lambda: X.var(unbiased=True, correction=1),
    ),
    (
        RuntimeError,
        r"nanmean\(\) needs a floating-point tensor, not int64",
        lambda: dg.nanmean(WHOLE),
    ),
    (RuntimeError, r"trace\(\) needs a matrix, got a tensor of shape \(2,\)", lambda: dg.trace(X)),
    (
        RuntimeError,
        r"logcumsumexp\(\) takes a floating-point tensor",
        lambda: WHOLE.logcumsumexp(0),
    ),
    (
        TypeError,
        "log_softmax: the input must be of floating-point type",
        lambda: dg.log_softmax(WHOLE, 0),
    ),
]


@pytest.mark.parametrize(("error", "message", "call"), REFUSED)
def test_refused(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error, match=message):
        call()


def test_infinities_and_nan_are_results_and_warn_nobody() -> None:
    x = dg.tensor([0.0, -1.0, 1e30])
    for result in (x.log(), 1 / x, x.sqrt(), x * x, x / 0, x % 0, x.exp(), x.reciprocal()):
        assert not result.isfinite().all()


def test_no_warnings_in_other_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda i: dg.log(dg.zeros(i + 1)).sum().item(), range(32))
    assert list(results) == [-np.inf] * 32
