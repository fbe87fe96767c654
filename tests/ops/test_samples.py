"""What holds for every op, driven by the rows of ``samples.py``; a new op costs one row there."""

import importlib
import pkgutil
from typing import Any

import numpy as np
import pytest
from ops.samples import SAMPLES

import distgrad as dg
from distgrad import ops
from distgrad.ops.op import VariadicOp
from distgrad.tensor import apply

EXPORTED = sorted(set(ops.__all__) - {"Op", "op"})

CASES = [
    pytest.param(name, row, case, id=f"{name} {case}")
    for name, row in SAMPLES.items()
    for case in row.cases
]
WITH_RULES = [case for case in CASES if case.values[1].constants is not None]


def is_floating(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def tensors(name: str, row: Any, case: Any, dtype: Any = np.float64) -> list[Any]:
    """The inputs of a case; those that have a rule ask for a gradient."""
    op = getattr(ops, name)
    result = []
    parameters = op.inputs * (len(case.inputs) if isinstance(op, VariadicOp) else 1)
    for parameter, value in zip(parameters, case.inputs, strict=True):
        if is_floating(value):
            wanted = row.constants is not None and parameter not in row.constants
            value = dg.Tensor(value.astype(dtype, copy=True), requires_grad=wanted)
        result.append(value)
    return result


def leaves(inputs: list[Any]) -> list[dg.Tensor]:
    return [x for x in inputs if isinstance(x, dg.Tensor) and x.requires_grad]


def unequal(shape: tuple[int, ...], dtype: Any = np.float64) -> dg.Tensor:
    """A gradient from above of unequal values."""
    size = int(np.prod(shape, dtype=np.int64))
    return dg.Tensor(np.linspace(0.5, 1.5, size, dtype=dtype).reshape(shape))


def run(name: str, inputs: list[Any], case: Any) -> tuple[np.ndarray, list[np.ndarray]]:
    """The value, and the gradients of the leaves."""
    result = apply(getattr(ops, name), *inputs, **case.attributes)
    if leaves(inputs):
        result.backward(unequal(result.shape, result.dtype))
    return result.data, [x.grad.data for x in leaves(inputs)]


# Completeness


def test_every_op_has_a_row() -> None:
    assert sorted(SAMPLES) == EXPORTED


def test_every_op_of_the_package_is_exported() -> None:
    for module in pkgutil.iter_modules(ops.__path__):
        defined = vars(importlib.import_module(f"distgrad.ops.{module.name}"))
        for name, value in defined.items():
            if isinstance(value, ops.Op):
                assert value.name == name
                assert name in ops.__all__, f"{name} is missing from distgrad.ops.__all__"
                assert getattr(ops, name) is value


@pytest.mark.parametrize("name", EXPORTED)
def test_every_differentiable_input_has_a_rule(name: str) -> None:
    op, row = getattr(ops, name), SAMPLES[name]
    assert isinstance(op, ops.Op)
    expected = [] if row.constants is None else [x for x in op.inputs if x not in row.constants]
    assert sorted(op.rules) == sorted(expected)


@pytest.mark.parametrize("name", EXPORTED)
def test_the_row_covers_what_it_should(name: str) -> None:
    op, row = getattr(ops, name), SAMPLES[name]
    for position, parameter in enumerate(op.inputs):
        arrays = [
            case.inputs[position]
            for case in row.cases
            if isinstance(case.inputs[position], np.ndarray)
        ]
        assert any(x.size > 1 for x in arrays), f"no array for {parameter}"
        lacks = {"0-d", f"0-d {parameter}"} & set(row.lacks)
        assert any(x.ndim == 0 for x in arrays) != bool(lacks)
    assert any(np.size(x) == 0 for case in row.cases for x in case.inputs)


# Values


@pytest.mark.parametrize(("name", "row", "case"), CASES)
def test_value(name: str, row: Any, case: Any) -> None:
    reference = row.reference or getattr(np, name)
    expected = np.asarray(reference(*case.inputs, **case.attributes))
    value, _ = run(name, tensors(name, row, case), case)
    assert isinstance(value, np.ndarray)
    assert (value.shape, value.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("name", "row", "case"), CASES)
def test_float32_stays_float32(name: str, row: Any, case: Any) -> None:
    value, gradients = run(name, tensors(name, row, case, np.float32), case)
    exact, exact_gradients = run(name, tensors(name, row, case), case)
    if exact.dtype == np.float64 and row.keeps_dtype:
        assert value.dtype == np.float32
    np.testing.assert_allclose(value, exact, rtol=1e-5, atol=1e-5)
    for gradient, exact_gradient in zip(gradients, exact_gradients, strict=True):
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, exact_gradient, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "row", "case"), CASES)
def test_inputs_of_any_layout(name: str, row: Any, case: Any) -> None:
    inputs = tensors(name, row, case)
    strided = tensors(name, row, case)
    for x in strided:
        if isinstance(x, dg.Tensor) and x.ndim:
            room = np.full((*x.shape[::-1], 2), np.nan)
            room[..., 0] = x.data.T
            x.data = room[..., 0].T
            assert x.data.size < 2 or not x.data.flags.c_contiguous
    value, gradients = run(name, inputs, case)
    value_of_strided, gradients_of_strided = run(name, strided, case)
    np.testing.assert_allclose(value_of_strided, value, rtol=1e-13, atol=1e-15)
    for a, b in zip(gradients_of_strided, gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("name", "row", "case"), CASES)
def test_inputs_are_neither_changed_nor_shared(name: str, row: Any, case: Any) -> None:
    inputs = tensors(name, row, case)
    before = [x.data.copy() if isinstance(x, dg.Tensor) else x for x in inputs]
    value, _ = run(name, inputs, case)
    for x, old in zip(inputs, before, strict=True):
        if isinstance(x, dg.Tensor):
            np.testing.assert_array_equal(x.data, old)
            if not getattr(ops, name).view:
                assert not np.shares_memory(value, x.data)


# Gradients


@pytest.mark.parametrize(("name", "row", "case"), WITH_RULES)
def test_gradient_has_the_inputs_shape(name: str, row: Any, case: Any) -> None:
    inputs = tensors(name, row, case)
    _, gradients = run(name, inputs, case)
    assert gradients, "a differentiable op has an input that asks for a gradient"
    for x, gradient in zip(leaves(inputs), gradients, strict=True):
        assert gradient.shape == x.shape
        assert gradient.dtype == x.dtype


@pytest.mark.parametrize(("name", "row", "case"), WITH_RULES)
def test_gradient(name: str, row: Any, case: Any) -> None:
    def call(*inputs: Any) -> dg.Tensor:
        return apply(getattr(ops, name), *inputs, **case.attributes)

    assert dg.autograd.gradcheck(call, tensors(name, row, case), atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize(("name", "row", "case"), WITH_RULES)
def test_gradient_of_the_gradient(name: str, row: Any, case: Any) -> None:
    def call(*inputs: Any) -> dg.Tensor:
        return apply(getattr(ops, name), *inputs, **case.attributes)

    assert dg.autograd.gradgradcheck(call, tensors(name, row, case), atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize(("name", "row", "case"), WITH_RULES)
def test_recorded_and_plain_gradients_agree(name: str, row: Any, case: Any) -> None:
    inputs = tensors(name, row, case)
    _, plain = run(name, inputs, case)
    result = apply(getattr(ops, name), *inputs, **case.attributes)
    recorded = dg.autograd.grad(result, leaves(inputs), unequal(result.shape), create_graph=True)
    for a, b in zip(recorded, plain, strict=True):
        np.testing.assert_allclose(a.data, b, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("name", "row", "case"), WITH_RULES)
def test_each_input_alone_gets_the_same_gradient(name: str, row: Any, case: Any) -> None:
    inputs = tensors(name, row, case)
    _, together = run(name, inputs, case)
    wanted = leaves(inputs)
    for x, expected in zip(wanted, together, strict=True):
        for other in wanted:
            other.requires_grad_(other is x)
        result = apply(getattr(ops, name), *inputs, **case.attributes)
        (alone,) = dg.autograd.grad(result, x, unequal(result.shape))
        np.testing.assert_array_equal(alone.data, expected)
