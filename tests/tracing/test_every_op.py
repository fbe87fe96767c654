"""Each op, taken apart or called as a whole, replayed with the bits of an eager pass."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from ops.samples import SAMPLES

from distgrad import ops
from distgrad.autograd import backward_into
from distgrad.backend.kernels import kernels_in_use
from distgrad.ops.op import VariadicOp
from distgrad.tensor import Tensor, apply
from distgrad.tracing import Program, Trace

pytestmark = pytest.mark.usefixtures("kernels")

REFUSED = {"accumulate", "assign", "getitem", "put"}
"""Ops of which some samples are refused: those whose index is one of truth values."""


def arrays_in(value: Any) -> Iterator[Any]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from arrays_in(part)


def converted(value: Any, dtype: Any) -> Any:
    is_double = isinstance(value, np.ndarray) and value.dtype == np.float64
    return value.astype(dtype) if is_double else value


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_an_op_gives_the_same_bits_when_it_is_replayed(name: str, dtype: Any) -> None:
    row, op = SAMPLES[name], getattr(ops, name)
    for case in row.cases if dtype is np.float32 else row.cases[:1]:
        parameters = op.inputs * (len(case.inputs) if isinstance(op, VariadicOp) else 1)
        inputs, leaves = [], []
        for parameter, given in zip(parameters, case.inputs, strict=True):
            value = converted(given, dtype)
            if isinstance(value, np.ndarray):
                wanted = value.dtype.kind == "f" and parameter in op.rules
                value = Tensor(value.copy(), requires_grad=wanted)
                leaves += [value] if wanted else []
            inputs.append(value)
        if not leaves or (not leaves[0].shape and kernels_in_use() != "numpy"):
            continue  # eager gradients without axes are numbers, which no kernel serves
        attributes = {name: converted(value, dtype) for name, value in case.attributes.items()}
        compare(name, op, inputs, attributes, leaves)


def compare(
    name: str, op: Any, inputs: list[Any], attributes: dict[str, Any], leaves: list[Tensor]
) -> None:
    others = [x.data for x in inputs if isinstance(x, Tensor) and not x.requires_grad]
    others += arrays_in(tuple(attributes.values()))

    def loss() -> Tensor:
        y = apply(op, *inputs, **attributes)
        above = np.linspace(0.5, 1.5, y.numel()).astype(y.dtype).reshape(y.shape)
        weights.append(above)
        return (y * Tensor(above)).sum() if y.shape else y * 1.5

    weights: list[Any] = []
    loss()
    if not loss().requires_grad:
        return
    above = weights[0]

    def again() -> Tensor:
        y = apply(op, *inputs, **attributes)
        return (y * Tensor(above)).sum() if y.shape else y * 1.5

    trace = Trace(others, [*(leaf.data for leaf in leaves), above])
    with trace.recording():
        total = again()
        trace.backward(total, lambda leaf, gradient: None)
    if trace.refusal is not None:
        assert name in REFUSED, trace.refusal
        return
    dtype = leaves[0].dtype
    program = Program(trace, leaves, dtype, total.data, 1.0)
    with np.errstate(all="ignore"):
        for _ in range(3):
            sums = {id(leaf): np.zeros(leaf.shape, dtype) for leaf in leaves}
            met: set[int] = set()

            def deliver(leaf: Tensor, gradient: Any, sums: Any = sums, met: Any = met) -> None:
                if id(leaf) in met:
                    sums[id(leaf)] += gradient
                else:
                    sums[id(leaf)][...] = gradient
                met.add(id(leaf))

            total = again()
            backward_into(total, deliver)
            views = [np.zeros(leaf.shape, dtype) for leaf in leaves]
            value, _ = program.into_views(views, others, (0, 1, 0))
            assert repr(value) == repr(total.item())
            for leaf, view in zip(leaves, views, strict=True):
                assert view.tobytes() == sums[id(leaf)].tobytes()
            for leaf in leaves:
                leaf.data *= dtype.type(1.01)
