"""Each op in bfloat16: the float32 result, rounded once, on the CPU and on a double of a GPU."""

from typing import Any

import numpy as np
import pytest
from helpers import emulator
from helpers.device_with_kernels import device_with_kernels
from helpers.halves import NEEDS_BFLOAT16, half
from helpers.strict_device import strict_device
from ops.samples import SAMPLES

import distgrad as dg
from distgrad import ops
from distgrad.backend import to_device, to_host
from distgrad.ops.op import VariadicOp
from distgrad.tensor import apply

pytestmark = NEEDS_BFLOAT16

# What sums in the order that NumPy chooses; on a device it is that of the elements.
ROUNDED = {"embedding", "embedding_table", "logcumsumexp"}


def converted(value: Any, dtype: Any) -> Any:
    """An array of floats in a data type, by way of bfloat16."""
    if type(value) in (tuple, list):
        return type(value)(converted(part, dtype) for part in value)
    if getattr(getattr(value, "dtype", None), "kind", "") != "f":
        return value
    return value.astype(half("bf16")).astype(dtype)


def called(name: str, row: Any, case: Any, dtype: Any, device: str = "cpu") -> list[np.ndarray]:
    """The value and the gradients of a case in a data type."""
    op = getattr(ops, name)
    parameters = op.inputs * (len(case.inputs) if isinstance(op, VariadicOp) else 1)
    inputs = []
    for parameter, value in zip(parameters, case.inputs, strict=True):
        if isinstance(value, np.ndarray):
            floats = value.dtype.kind == "f"
            wanted = floats and row.constants is not None and parameter not in row.constants
            array = to_device(converted(value, dtype), device)
            value = dg.Tensor(array, requires_grad=wanted)
        inputs.append(value)
    attributes = {n: _moved(converted(v, dtype), device) for n, v in case.attributes.items()}
    result = apply(op, *inputs, **attributes)
    found = [to_host(result.data)]
    leaves = [x for x in inputs if isinstance(x, dg.Tensor) and x.requires_grad]
    if leaves and result.requires_grad:
        above = np.linspace(0.5, 1.5, result.numel()).reshape(result.shape)
        above = dg.Tensor(to_device(converted(above, result.dtype), device))
        gradients = dg.autograd.grad(result, leaves, above, create_graph=True)
        assert [g.dtype for g in gradients] == [x.dtype for x in leaves]
        total = sum((g.float().square().sum() for g in gradients), start=0 * result.float().sum())
        dg.autograd.grad(total, leaves, allow_unused=True)
        found += [to_host(g.data) for g in gradients]
    return found


def _moved(value: Any, device: str) -> Any:
    if type(value) is tuple:
        return tuple(_moved(part, device) for part in value)
    if isinstance(value, np.ndarray):
        return to_device(value, device)
    return device if value == "cpu" else value


def saves_its_output(name: str) -> bool:
    op = getattr(ops, name)
    shared = () if op.shared_rule is None else op.shared_rule.needs
    return any("y" in rule.needs for rule in op.rules.values()) or "y" in shared


@pytest.mark.parametrize("name", sorted({*SAMPLES} - {"nextafter"}))  # whose steps float32 lacks
def test_an_op_computes_in_float32_and_rounds_once(name: str) -> None:
    row = SAMPLES[name]
    for case in row.cases:
        single = called(name, row, case, np.float32)
        value, *gradients = called(name, row, case, half("bf16"))
        exact = [single[0].astype(value.dtype), *(x.astype(half("bf16")) for x in single[1:])]
        assert value.dtype == (half("bf16") if single[0].dtype == np.float32 else single[0].dtype)
        check_equal(value, exact[0], f"{name} {case}")
        for found, wanted in zip(gradients, exact[1:], strict=True):
            if not saves_its_output(name):
                check_equal(found, wanted, f"{name} {case}")
            elif name != "logcumsumexp":  # which sets out from large numbers, as they were rounded
                scale = np.abs(wanted).max(initial=0).astype(np.float32)
                check_close(found, wanted, atol=0.05 * scale)


def check_equal(found: Any, wanted: Any, case: str) -> None:
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found.astype(np.float64), wanted.astype(np.float64), case)


def check_close(found: Any, wanted: Any, rtol: float = 0.02, atol: float = 0) -> None:
    np.testing.assert_allclose(found.astype(np.float32), wanted.astype(np.float32), rtol, atol)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_an_op_gives_the_same_bits_on_the_double(name: str) -> None:
    row = SAMPLES[name]
    for case in row.cases:
        expected = called(name, row, case, half("bf16"))
        with strict_device():
            found = called(name, row, case, half("bf16"), "cuda")
        for mine, other in zip(found, expected, strict=True):
            if name in ROUNDED:
                check_close(mine, other)
            else:
                check_equal(mine, other, f"{name} {case}")


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_with_kernels_nothing_else_computes_in_it(name: str) -> None:
    """Gradient rules of kernels get it as it is, and compute only by ops."""
    if not emulator.available():
        pytest.skip("no g++ here to compile CUDA C for the host")
    with device_with_kernels():
        for case in SAMPLES[name].cases:
            called(name, SAMPLES[name], case, half("bf16"), "cuda")
