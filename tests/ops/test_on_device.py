"""Each op on the strict double of a GPU: the host's bits, and nothing that waits or mixes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.strict_device import strict_device
from ops.samples import SAMPLES

import distgrad as dg
from distgrad import ops
from distgrad.backend import to_device, to_host
from distgrad.ops.op import VariadicOp
from distgrad.tensor import apply

# Sums whose order NumPy chooses; on a device it is that of the elements.
ROUNDED = {"embedding", "embedding_table", "logcumsumexp"}


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    with strict_device():
        yield


def operands(name: str, row: Any, case: Any, device: str) -> list[Any]:
    """The inputs of a case on a device; those that have a rule ask for a gradient."""
    op = getattr(ops, name)
    result = []
    parameters = op.inputs * (len(case.inputs) if isinstance(op, VariadicOp) else 1)
    for parameter, value in zip(parameters, case.inputs, strict=True):
        if isinstance(value, np.ndarray):
            floating = value.dtype.kind == "f"
            wanted = floating and row.constants is not None and parameter not in row.constants
            value = dg.Tensor(to_device(value, device), requires_grad=wanted)
        result.append(value)
    return result


def results(name: str, row: Any, case: Any, device: str) -> list[np.ndarray]:
    """The value, the gradients, and the gradients of a sum of these."""
    inputs = operands(name, row, case, device)
    result = apply(getattr(ops, name), *inputs, **_moved(case.attributes, device))
    found = [result]
    leaves = [x for x in inputs if isinstance(x, dg.Tensor) and x.requires_grad]
    if leaves and result.requires_grad:
        above = np.linspace(0.5, 1.5, result.numel()).astype(result.dtype).reshape(result.shape)
        weights = dg.Tensor(to_device(above, device))
        plain = dg.autograd.grad(result, leaves, weights, retain_graph=True)
        first = dg.autograd.grad(result, leaves, weights, create_graph=True)
        total = sum(
            (x.square().sum() for x in first), start=dg.Tensor(to_device(np.zeros(()), device))
        )
        second = dg.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else ()
        found += [x for x in (*plain, *first, *second) if x is not None]
    assert all(x.device.type == device for x in found)
    return [to_host(x.data) for x in found]


def _moved(attributes: dict[str, Any], device: str) -> dict[str, Any]:
    """Attributes with their arrays on the device, as indices are."""

    def move(value: Any) -> Any:
        if type(value) is tuple:
            return tuple(map(move, value))
        if isinstance(value, np.ndarray):
            return to_device(value, device)
        return device if value == "cpu" else value

    return {name: move(value) for name, value in attributes.items()}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_an_op_gives_the_bits_of_the_host(name: str) -> None:
    row = SAMPLES[name]
    for case in row.cases:
        expected = results(name, row, case, "cpu")
        found = results(name, row, case, "cuda")
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype), case
            if name in ROUNDED:
                np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-15, err_msg=str(case))
            else:
                np.testing.assert_array_equal(a, b, err_msg=str(case))
