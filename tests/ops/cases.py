"""What a row of samples is made of: calls, and the arrays that they are called with."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Domain = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def anything(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Both signs, absolute values from 0.2 to 2: nothing near a kink at 0."""
    return generator.uniform(0.2, 2, shape) * generator.choice([-1.0, 1.0], shape)


def positive(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """From 0.5 to 2."""
    return generator.uniform(0.5, 2, shape)


def distinct(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """In random order, at least 0.3 apart: no ties, and no near ones."""
    return np.array(generator.permutation(math.prod(shape))).reshape(shape) * 0.3 - 1


def whole(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """-1, 0 and 1: many ties."""
    return generator.integers(-1, 2, shape).astype(np.float64)


@dataclass(frozen=True)
class Case:
    """One call: its inputs and attributes."""

    inputs: tuple[Any, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        inputs = ",".join(str(getattr(x, "shape", x)) for x in self.inputs)
        return " ".join([inputs, *(f"{k}={v}" for k, v in self.attributes.items())])


@dataclass(frozen=True)
class Row:
    """The samples of one op.

    Attributes:
        cases: The calls.
        reference: From the inputs and attributes, as arrays, to the result. By default NumPy's
            function of the op's name.
        constants: Inputs without a gradient rule; None for an op without any rule.
        lacks: "0-d" for an op that takes no 0-d arrays, "0-d x" if it takes none for x.
        keeps_dtype: Whether float32 inputs give a float32 result.
    """

    cases: Sequence[Case]
    reference: Callable[..., Any] | None = None
    constants: tuple[str, ...] | None = ()
    lacks: tuple[str, ...] = ()
    keeps_dtype: bool = True


def case(*inputs: Any, domain: Domain = anything, **attributes: Any) -> Case:
    """Make a call; a tuple stands for an array of that shape, drawn from ``domain``."""
    generator = np.random.default_rng(len(inputs) + 7)
    drawn = (np.asarray(domain(generator, x)) if isinstance(x, tuple) else x for x in inputs)
    return Case(tuple(drawn), attributes)


def unary(domain: Domain = anything) -> list[Case]:
    return [case(shape, domain=domain) for shape in [(2, 3), (), (1,), (0,), (2, 0, 3)]]


def binary(domain: Domain = anything) -> list[Case]:
    shapes = [
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((2, 1, 3), (4, 1)),
        ((), (2, 2)),
        ((2,), ()),
        ((), ()),
        ((1, 1), (3,)),
        ((0, 3), (1, 3)),
        ((2, 0), (0,)),
    ]
    numbers = [case((2, 3), 1.5, domain=domain), case(1.5, (2, 3), domain=domain)]
    return [case(*pair, domain=domain) for pair in shapes] + numbers


def reduction(domain: Domain = anything, several: bool = True) -> list[Case]:
    axes: list[Any] = [None, 0, -1, 1]
    if several:
        axes += [(0, 2), (-1, 0, 1), ()]
    cases = [
        case((2, 3, 2), domain=domain, axis=axis, keepdims=keepdims)
        for axis in axes
        for keepdims in (False, True)
    ]
    return [*cases, case((), domain=domain), case((0, 3), domain=domain, axis=1)]
