"""Arithmetic, functions of elements, comparisons: against PyTorch."""

from typing import Any

import numpy as np
import pytest
from helpers.parity import Call, check_gradients, check_refused, check_same, check_slopes

import distgrad as dg

torch = pytest.importorskip("torch")

INF, NAN = np.inf, np.nan
SPECIAL = np.array([-INF, -2.5, -1, -0.5, -0.0, 0.0, 0.5, 1, 1.5, 2, 3, INF, NAN])

UNARY = """
    abs acos asin atan ceil cos cosh erf erfc exp exp2 expm1 floor frac log log10 log1p log2
    nan_to_num neg reciprocal relu round rsqrt sigmoid sign sin sinh sqrt square tan tanh trunc
""".split()  # noqa: SIM905 (twice as readable)
BINARY = """
    add atan2 copysign div fmax fmin fmod hypot logaddexp maximum minimum mul pow remainder sub
    xlogy
""".split()  # noqa: SIM905 (twice as readable)
TRUTHS = """
    eq ge gt isclose le logical_and logical_or logical_xor lt ne
""".split()  # noqa: SIM905 (twice as readable)


@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str) -> None:
    x = np.random.default_rng(3).uniform(0.1, 0.9, (2, 3))
    check_gradients([x], lambda m, f, x: getattr(m, name)(x))
    check_gradients([x], lambda m, f, x: getattr(x, name)())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", UNARY)
def test_unary_at_special_values(name: str, dtype: str) -> None:
    check_slopes([SPECIAL.astype(dtype)], lambda m, f, x: getattr(m, name)(x), 1e-5)


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    x, y = np.random.default_rng(4).uniform(0.3, 1.9, (2, 4, 3))
    check_gradients([x, y[0]], lambda m, f, x, y: getattr(m, name)(x, y))
    check_gradients([x[:, :1], y], lambda m, f, x, y: getattr(x, name)(y))


@pytest.mark.parametrize("name", BINARY)
def test_binary_at_special_values(name: str) -> None:
    x, y = (np.array(a) for a in np.broadcast_arrays(SPECIAL[:, None], SPECIAL))
    finite = np.isfinite(x) & np.isfinite(y)
    check_slopes([x[finite], y[finite]], lambda m, f, x, y: getattr(m, name)(x, y))
    mine = getattr(dg, name)(dg.tensor(x), dg.tensor(y))
    check_same(mine, getattr(torch, name)(torch.tensor(x), torch.tensor(y)))


CALLS: dict[str, Call] = {
    "add alpha": lambda m, f, x, y: m.add(x, y, alpha=2.5),
    "add number": lambda m, f, x, y: x.add(3, alpha=2) * y,
    "sub alpha": lambda m, f, x, y: x.sub(y, alpha=-0.5),
    "rsub": lambda m, f, x, y: m.rsub(x, 2, alpha=3) * y,
    "div trunc": lambda m, f, x, y: m.div(x, y, rounding_mode="trunc") * x,
    "div floor": lambda m, f, x, y: x.div(y, rounding_mode="floor") * x,
    "floor_divide": lambda m, f, x, y: m.div(x, 0.3, rounding_mode="floor") * y,
    "true_divide": lambda m, f, x, y: m.true_divide(x, y) + x.true_divide(3),
    "addcmul": lambda m, f, x, y: m.addcmul(x, y, x, value=0.5),
    "addcdiv": lambda m, f, x, y: x.addcdiv(x, y, value=-2),
    "lerp": lambda m, f, x, y: m.lerp(x, y, 0.25),
    "lerp tensor": lambda m, f, x, y: x.lerp(y, x * 0.6),
    "clamp_min": lambda m, f, x, y: m.clamp_min(x, y) * x.clamp_min(0.7),
    "clamp_max": lambda m, f, x, y: m.clamp_max(x, 0.9) * x.clamp_max(y),
    "round decimals": lambda m, f, x, y: m.round(x, decimals=1) * y,
    "round tens": lambda m, f, x, y: (x * 10).round(decimals=-1) * y,
    "nan_to_num": lambda m, f, x, y: m.nan_to_num(x / 0, posinf=3.0) * y,
    "operators": lambda m, f, x, y: (x % y) + (x % 0.4) + (-x) * (+y),
    "reflected": lambda m, f, x, y: (2 - x) / (1 / y) + 2**x * (3 + y) - 1.5 * x,
    "pow numbers": lambda m, f, x, y: m.pow(2.5, x) * m.pow(y, 3) + y.pow(0.5),
    "max": lambda m, f, x, y: m.max(x, y) * x.min(y),
}


@pytest.mark.parametrize("name", CALLS)
def test_arguments(name: str) -> None:
    x, y = np.random.default_rng(len(name)).uniform(0.3, 1.9, (2, 4, 3))
    check_gradients([x, y], CALLS[name])


@pytest.mark.parametrize("name", TRUTHS)
def test_truths(name: str) -> None:
    x, y = SPECIAL[:, None], SPECIAL
    mine = getattr(dg, name)(dg.tensor(x), dg.tensor(y))
    check_same(mine, getattr(torch, name)(torch.tensor(x), torch.tensor(y)))
    assert not mine.requires_grad


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite", "logical_not"])
def test_predicates(name: str) -> None:
    check_same(getattr(dg, name)(dg.tensor(SPECIAL)), getattr(torch, name)(torch.tensor(SPECIAL)))


# Data types: whatever PyTorch takes has its type.

TYPES = ("float32", "float64", "int32", "int64", "bool")


def outcome(call: Any) -> Any:
    try:
        return call()
    except (RuntimeError, TypeError, ValueError) as error:
        return error


def check_outcome(name: str, mine: Any, other: Any) -> None:
    """What PyTorch gives, we give, but for powers of truth values."""
    if not isinstance(other, Exception) and (name, other.dtype) != ("pow", torch.bool):
        assert not isinstance(mine, Exception), mine
        check_same(mine, other)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", UNARY)
def test_types_of_unary(name: str, dtype: str) -> None:
    x = np.array([1, 0, 1]).astype(dtype)
    mine = outcome(lambda: getattr(dg, name)(dg.tensor(x)))
    check_outcome(name, mine, outcome(lambda: getattr(torch, name)(torch.tensor(x))))


@pytest.mark.parametrize("b", [*TYPES, 2, 0.5, True])
@pytest.mark.parametrize("a", TYPES)
@pytest.mark.parametrize("name", BINARY + TRUTHS)
def test_types_of_binary(name: str, a: str, b: Any) -> None:
    x = np.array([1, 3, 2]).astype(a)
    y = np.array([1, 1, 2]).astype(b) if isinstance(b, str) else b

    def call(m: Any) -> Any:
        second = m.tensor(y) if isinstance(b, str) else y
        return getattr(m, name)(m.tensor(x), second)

    check_outcome(name, outcome(lambda: call(dg)), outcome(lambda: call(torch)))


@pytest.mark.parametrize("dimensioned", [False, True])
@pytest.mark.parametrize("name", ["add", "mul", "div", "pow", "atan2", "maximum", "remainder"])
def test_a_0d_tensor_does_not_widen(name: str, dimensioned: bool) -> None:
    x, y = np.float32([1, 2]), np.float64(3)
    y = y[None] if dimensioned else y
    mine = getattr(dg, name)(dg.tensor(x), dg.tensor(y))
    check_same(mine, getattr(torch, name)(torch.tensor(x), torch.tensor(y)))


def test_a_factor_of_integers_beside_float64() -> None:
    x, y = np.array([0.1]), np.array([3])
    mine, other = (m.add(m.tensor(x), m.tensor(y), alpha=0.1) for m in (dg, torch))
    check_same(mine, other, rtol=1e-15)


def test_whole_powers() -> None:
    x, y = np.arange(-3, 4)[:, None], np.arange(-3, 4)
    check_same(dg.tensor(x) ** dg.tensor(y), torch.tensor(x) ** torch.tensor(y))
    check_same(2 ** dg.tensor(y), 2 ** torch.tensor(y))


PAIR, WHOLE, TRUE = np.float32([1, 2]), np.array([1, 2]), np.array([True])


@pytest.mark.parametrize(
    ("call", "inputs"),
    [
        (lambda m, f, x: m.maximum(x, 2), (PAIR,)),
        (lambda m, f, x: m.atan2(x, 2), (PAIR,)),
        (lambda m, f, x: m.eq(2, x), (PAIR,)),
        (lambda m, f, x: m.pow(2, 3), (PAIR,)),
        (lambda m, f, x: x**-1, (WHOLE,)),
        (lambda m, f, x: x // 0, (WHOLE,)),
        (lambda m, f, x: x % 0, (WHOLE,)),
        (lambda m, f, x: m.fmod(x, 0), (WHOLE,)),
        (lambda m, f, x: m.add(x, x, alpha=0.5), (WHOLE,)),
        (lambda m, f, x: m.sub(x, x), (TRUE,)),
        (lambda m, f, x: m.neg(x), (TRUE,)),
        (lambda m, f, x: m.floor(x), (TRUE,)),
        (lambda m, f, x: m.frac(x), (WHOLE,)),
        (lambda m, f, x: m.hypot(x, x), (WHOLE,)),
        (lambda m, f, x: m.addcdiv(x, x, x), (WHOLE,)),
        (lambda m, f, x: m.lerp(x, x.double(), 0.5), (PAIR,)),
        (lambda m, f, x: m.isclose(x, x.double()), (PAIR,)),
        (lambda m, f, x: m.isclose(x, x, rtol=-1.0), (PAIR,)),
        (lambda m, f, x: m.div(x, x, rounding_mode="up"), (PAIR,)),
        (lambda m, f, x: m.round(x, decimals=1), (WHOLE,)),
        (lambda m, f, x, y: m.add(x, y), (np.ones(2), np.ones(3))),
        (lambda m, f, x: m.where(x > 1, x, None), (PAIR,)),
    ],
)
def test_refused_by_both(call: Call, inputs: Any) -> None:
    check_refused(call, *inputs)


def test_where_of_a_condition_alone() -> None:
    x = np.array([[0.0, 2.0], [3.0, 0.0]])
    for mine, other in zip(dg.where(dg.tensor(x)), torch.where(torch.tensor(x)), strict=True):
        check_same(mine, other)
