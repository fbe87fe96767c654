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
    abs absolute acos angle arccos arcsin arcsinh arctan arctanh asin asinh atan atanh ceil cos cosh
    deg2rad erf erfc exp exp2 expm1 fix floor frac log log10 log1p log2 nan_to_num neg
    negative rad2deg reciprocal relu round rsqrt sigmoid sign sin sinc sinh sqrt square tan tanh
    trunc
""".split()  # noqa: SIM905 (twice as readable)
BINARY = """
    add arctan2 atan2 copysign div divide float_power fmax fmin fmod hypot ldexp logaddexp
    maximum minimum mul multiply pow remainder sub subtract xlogy
""".split()  # noqa: SIM905 (twice as readable)
TRUTHS = """
    eq ge greater greater_equal gt isclose le less less_equal logical_and logical_or logical_xor lt
    ne not_equal
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
    "acosh": lambda m, f, x, y: m.acosh(x + 1.1) * (y + 1.2).arccosh(),
    "clip": lambda m, f, x, y: m.clip(x, 0.5, 1) * y.clip(min=0.6),
    "logaddexp2": lambda m, f, x, y: m.logaddexp2(x, y) * (x * 3).logaddexp2(-y),
    "logit": lambda m, f, x, y: m.logit(x / 2) + (y / 3).logit(),
    "logit eps": lambda m, f, x, y: m.logit(x, 0.2) * m.logit(y / 2, eps=0.01),
    "sinc far": lambda m, f, x, y: m.sinc(x * 9) * m.sinc(y - 1),
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


@pytest.mark.parametrize(
    "name",
    ["isnan", "isinf", "isfinite", "isneginf", "isposinf", "isreal", "logical_not", "signbit"],
)
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
        (lambda m, f, x: m.positive(x), (TRUE,)),
        (lambda m, f, x: m.bitwise_and(x, x), (PAIR,)),
        (lambda m, f, x: x << 1, (PAIR,)),
        (lambda m, f, x: m.bitwise_not(x), (PAIR,)),
        (lambda m, f, x: m.bitwise_left_shift(x, x), (TRUE,)),
        (lambda m, f, x: m.gcd(x, x), (TRUE,)),
        (lambda m, f, x: m.gcd(x, 2), (WHOLE,)),
        (lambda m, f, x: m.ldexp(x, 2), (PAIR,)),
        (lambda m, f, x: m.heaviside(x, x.double()), (PAIR,)),
        (lambda m, f, x: m.heaviside(x, 1.0), (PAIR,)),
        (lambda m, f, x: m.float_power(2, 3), (PAIR,)),
        (lambda m, f, x: m.isin(x, x), (TRUE,)),
        (lambda m, f, x: m.isin(1, 2), (PAIR,)),
        (lambda m, f, x: m.logaddexp2(x, x), (WHOLE,)),
    ],
)
def test_refused_by_both(call: Call, inputs: Any) -> None:
    check_refused(call, *inputs)


WHOLE_PAIR = (np.array([[12], [-9], [0]]), np.array([8, 6, 1, 0]))


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
@pytest.mark.parametrize(
    "name",
    "bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor gcd lcm".split(),  # noqa: SIM905
)
def test_whole_numbers(name: str, dtype: str) -> None:
    x, y = (np.abs(a).astype(dtype) if dtype == "uint8" else a.astype(dtype) for a in WHOLE_PAIR)
    check_same(
        getattr(dg, name)(dg.tensor(x), dg.tensor(y)),
        getattr(torch, name)(torch.tensor(x), torch.tensor(y)),
    )
    check_same(
        getattr(dg.tensor(x), name)(dg.tensor(y)), getattr(torch.tensor(x), name)(torch.tensor(y))
    )


def test_shifts_as_operators() -> None:
    for m in (dg, torch):
        x = m.tensor([1, 5])
        assert ((x << 2).tolist(), (x >> 1).tolist()) == ([4, 20], [0, 2])
        assert ((1 << x).tolist(), (64 >> x).tolist()) == ([2, 32], [32, 2])
        assert m.bitwise_not(x).tolist() == [-2, -6]


@pytest.mark.parametrize("number", [-3, -1])
def test_numbers_that_do_not_fit_wrap_around(number: int) -> None:
    for dtype in ("uint8", "int8"):
        x = np.array([2, 100]).astype(dtype)
        for call in (
            lambda m, x: x + number,
            lambda m, x: number - x,
            lambda m, x: m.add(x, x, alpha=number),
            lambda m, x: x == number,
        ):
            check_same(call(dg, dg.tensor(x)), call(torch, torch.tensor(x)))


def test_comparisons_of_whole_tensors() -> None:
    for m in (dg, torch):
        x, y = m.tensor([1.0, 2.0]), m.tensor([1, 2])
        assert m.equal(x, y) is True
        assert m.equal(x, m.tensor([1.0])) is False
        assert x.equal(x + 1) is False
        assert m.allclose(x, x + 1e-9) is True
        assert x.allclose(x + 1) is False


def test_steps_and_neighbours() -> None:
    for dtype in ("float64", "float32"):
        x, y = SPECIAL.astype(dtype)[:, None], SPECIAL.astype(dtype)
        for name in ("heaviside", "nextafter"):
            mine = getattr(dg, name)(dg.tensor(x), dg.tensor(y))
            check_same(mine, getattr(torch, name)(torch.tensor(x), torch.tensor(y)))


@pytest.mark.parametrize("name", ["entr", "expit", "ndtr", "sinc", "log1p"])
def test_special_functions(name: str) -> None:
    x = np.random.default_rng(2).uniform(0.1, 1.9, (2, 3))
    check_gradients([x], lambda m, f, x: getattr(m.special, name)(x))
    mine = getattr(dg.special, name)(dg.tensor(SPECIAL))
    check_same(mine, getattr(torch.special, name)(torch.tensor(SPECIAL)), atol=1e-15)


def test_a_special_function_of_two() -> None:
    x, y = np.random.default_rng(4).uniform(0.3, 1.9, (2, 4, 3))
    check_gradients([x, y], lambda m, f, x, y: m.special.xlog1py(x, y) + m.special.xlog1py(2, x))
    x, y = SPECIAL[:, None], SPECIAL
    mine = dg.special.xlog1py(dg.tensor(x), dg.tensor(y))
    check_same(mine, torch.special.xlog1py(torch.tensor(x), torch.tensor(y)))
    check_refused(lambda m, f, x: m.special.xlog1py(2, 3), x)


def test_membership() -> None:
    for m in (dg, torch):
        x = m.tensor([[1, 2], [3, 4]])
        assert m.isin(x, m.tensor([2, 3])).tolist() == [[False, True], [True, False]]
        assert m.isin(x, 2, invert=True).tolist() == [[True, False], [True, True]]
        assert m.isin(2, x).tolist() is True


def test_where_of_a_condition_alone() -> None:
    x = np.array([[0.0, 2.0], [3.0, 0.0]])
    for mine, other in zip(dg.where(dg.tensor(x)), torch.where(torch.tensor(x)), strict=True):
        check_same(mine, other)
