"""Activations and similarities: against PyTorch."""

from typing import Any

import numpy as np
import pytest
from helpers.parity import Call, check_gradients, check_refused, check_same, check_slopes

import distgrad as dg
from distgrad.nn import functional as F

torch = pytest.importorskip("torch")

CALLS: dict[str, Call] = {
    "relu": lambda m, f, x: f.relu(x),
    "relu6": lambda m, f, x: f.relu6(x),
    "leaky_relu": lambda m, f, x: f.leaky_relu(x) + f.leaky_relu(x, 0.3) ** 2,
    "elu": lambda m, f, x: f.elu(x) + f.elu(x, 0.7) ** 2,
    "celu": lambda m, f, x: f.celu(x) + f.celu(x, alpha=0.5) ** 2,
    "selu": lambda m, f, x: f.selu(x),
    "gelu": lambda m, f, x: f.gelu(x),
    "silu": lambda m, f, x: f.silu(x),
    "mish": lambda m, f, x: f.mish(x),
    "softplus": lambda m, f, x: f.softplus(x) + f.softplus(x, 2, 4) ** 2,
    "softsign": lambda m, f, x: f.softsign(x),
    "tanhshrink": lambda m, f, x: f.tanhshrink(x),
    "hardtanh": lambda m, f, x: f.hardtanh(x) + f.hardtanh(x, -2.0, 0.5) ** 2,
    "hardsigmoid": lambda m, f, x: f.hardsigmoid(x),
    "hardswish": lambda m, f, x: f.hardswish(x),
    "hardshrink": lambda m, f, x: f.hardshrink(x) + f.hardshrink(x, 1.5) ** 2,
    "softshrink": lambda m, f, x: f.softshrink(x) + f.softshrink(x, 1.5) ** 2,
    "logsigmoid": lambda m, f, x: f.logsigmoid(x),
    "threshold": lambda m, f, x: f.threshold(x, 0.5, -3.0),
    "softmin": lambda m, f, x: f.softmin(x, 0),
    "softmax": lambda m, f, x: f.softmax(x, -1),
    "log_softmax": lambda m, f, x: f.log_softmax(x, dim=0),
}
RANDOM = np.random.default_rng(0).standard_normal((4, 6)) * 3
KINKS = np.array([-6, -3, -2, -1, -0.5, -0.0, 0, 0.5, 1, 2, 3, 6, 10, 12, 40, 800, -800])


# PyTorch has no second gradient of hardsigmoid.
@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"hardsigmoid"}))
def test_gradients(name: str) -> None:
    check_gradients([RANDOM], CALLS[name])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CALLS)
def test_at_kinks_and_far_away(name: str, dtype: str) -> None:
    # PyTorch's constants are often those of float32.
    tolerances = (2e-5, 1e-6) if dtype == "float32" else (1e-7, 0)
    check_slopes([KINKS.astype(dtype)], CALLS[name], *tolerances)


@pytest.mark.parametrize("name", CALLS)
def test_at_infinities(name: str) -> None:
    x = np.array([-np.inf, np.inf, np.nan])
    if "max" not in name and "min" not in name:
        check_slopes([x], PLAIN.get(name, CALLS[name]))


@pytest.mark.parametrize("name", CALLS)
def test_of_nothing_and_without_axes(name: str) -> None:
    mine, other = (CALLS[name](m, f, m.zeros((0, 2))) for m, f in LIBRARIES)
    check_same(mine, other)
    check_slopes([np.array(1.25)], CALLS[name])


PLAIN: dict[str, Call] = {
    "hardtanh": lambda m, f, x: f.hardtanh(x),
    "hardshrink": lambda m, f, x: f.hardshrink(x),
    "softshrink": lambda m, f, x: f.softshrink(x),
    "elu": lambda m, f, x: f.elu(x),
    "celu": lambda m, f, x: f.celu(x),
    "leaky_relu": lambda m, f, x: f.leaky_relu(x),
    "softplus": lambda m, f, x: f.softplus(x),
}
LIBRARIES: list[Any] = [(dg, F), (torch, torch.nn.functional)]


SEVERAL: dict[str, tuple[list[tuple[int, ...]], Call]] = {
    "prelu": ([(2, 3, 4), (3,)], lambda m, f, x, w: f.prelu(x, w)),
    "prelu, one weight": ([(4,), (1,)], lambda m, f, x, w: f.prelu(x, w)),
    "prelu, 0-d": ([(), ()], lambda m, f, x, w: f.prelu(x, w)),
    "glu": ([(3, 4)], lambda m, f, x: f.glu(x) * f.glu(x, 1)),
    "glu along 0": ([(4, 3)], lambda m, f, x: f.glu(x, dim=0)),
    "normalize": ([(3, 4)], lambda m, f, x: f.normalize(x) * f.normalize(x, 3.0, 0)),
    "normalize short": ([(3, 4)], lambda m, f, x: f.normalize(x, eps=5.0)),
    "cosine_similarity": ([(3, 4), (3, 4)], lambda m, f, x, y: f.cosine_similarity(x, y)),
    "cosine_similarity 0": (
        [(3, 4), (1, 4)],
        lambda m, f, x, y: f.cosine_similarity(x, y, dim=0, eps=1.0),
    ),
    "pairwise_distance": ([(3, 4), (4,)], lambda m, f, x, y: f.pairwise_distance(x, y)),
    "pairwise_distance p": (
        [(3, 4), (3, 4)],
        lambda m, f, x, y: f.pairwise_distance(x, y, p=1.0, keepdim=True),
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_of_several_arguments(name: str) -> None:
    shapes, call = SEVERAL[name]
    generator = np.random.default_rng(len(name))
    check_gradients([generator.standard_normal(shape) for shape in shapes], call)


def test_of_equal_vectors_and_zeros() -> None:
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    check_slopes([x, x], lambda m, f, x, y: f.cosine_similarity(x, y))
    check_slopes([x, x], lambda m, f, x, y: f.pairwise_distance(x, y))
    check_slopes([x], lambda m, f, x: f.normalize(x)[1])


@pytest.mark.parametrize("name", ["relu", "relu6", "hardtanh", "threshold"])
def test_whole_numbers(name: str) -> None:
    x = np.array([-9, 0, 1, 2, 9])
    calls = CALLS | {"threshold": lambda m, f, x: f.threshold(x, 1, 4)}
    mine, other = (calls[name](m, f, m.tensor(x)) for m, f in LIBRARIES)
    check_same(mine, other)


@pytest.mark.parametrize(
    ("call", "inputs"),
    [
        (lambda m, f, x: f.softshrink(x, -1.0), (np.ones(2),)),
        (lambda m, f, x: f.hardtanh(x, 1.0, 0.0), (np.ones(2),)),
        (lambda m, f, x: f.celu(x, 0.0), (np.ones(2),)),
        (lambda m, f, x: f.glu(x), (np.ones(3),)),
        (lambda m, f, x: f.glu(x), (np.ones(()),)),
        (lambda m, f, x: f.gelu(x, approximate="erf"), (np.ones(3),)),
        (lambda m, f, x: f.elu(x), (np.ones(3, int),)),
        (lambda m, f, x: f.softplus(x), (np.ones(3, int),)),
        (lambda m, f, x, w: f.prelu(x, w), (np.ones((2, 3)), np.ones(2))),
        (lambda m, f, x, w: f.prelu(x, w), (np.ones((2, 3)), np.ones((1, 3)))),
        (lambda m, f, x, w: f.prelu(x, w), (np.ones((2, 3)), np.ones(3, np.float32))),
    ],
)
def test_refused_by_both(call: Call, inputs: Any) -> None:
    check_refused(call, *inputs)
