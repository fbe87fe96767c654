"""Functions of two operands on shapes that hypothesis thinks of: NumPy's values, exact adjoints."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import distgrad as dg

FUNCTIONS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "atan2": np.arctan2,
    "copysign": np.copysign,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "fmod": np.fmod,
    "hypot": np.hypot,
    "logaddexp": np.logaddexp,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "remainder": np.remainder,
    "xlogy": lambda a, b: a * np.log(b),
}
SHAPES = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3)


@pytest.mark.parametrize("name", FUNCTIONS)
@given(SHAPES, st.integers(0, 99))
def test_values_and_gradients(name: str, shapes: Any, seed: int) -> None:
    generator = np.random.default_rng(seed)
    x, y = (generator.uniform(0.5, 2, shape) for shape in shapes.input_shapes)
    a, b = (dg.tensor(v, requires_grad=True) for v in (x, y))
    result = getattr(dg, name)(a, b)
    assert result.shape == shapes.result_shape
    np.testing.assert_allclose(result.data, FUNCTIONS[name](x, y), rtol=1e-13)
    # What broadcasting does is what stretching the operands first does.
    whole = [dg.tensor(np.broadcast_to(v, shapes.result_shape), requires_grad=True) for v in (x, y)]
    above = dg.Tensor(generator.standard_normal(shapes.result_shape))
    full = dg.autograd.grad(getattr(dg, name)(*whole), whole, above)
    for leaf, gradient, stretched in zip(
        (a, b), dg.autograd.grad(result, (a, b), above), full, strict=True
    ):
        assert gradient.shape == leaf.shape
        extra = stretched.ndim - leaf.ndim
        axes = tuple(
            i for i, n in enumerate(stretched.shape) if i < extra or leaf.shape[i - extra] != n
        )
        expected = stretched.data.sum(axis=axes).reshape(leaf.shape)
        np.testing.assert_allclose(gradient.data, expected, rtol=1e-12, atol=1e-13)


REDUCTIONS = {
    "sum": np.sum,
    "mean": np.mean,
    "amax": np.max,
    "amin": np.min,
    "all": np.all,
    "any": np.any,
    "nansum": np.nansum,
}


@pytest.mark.parametrize("name", REDUCTIONS)
@given(st.data(), hnp.array_shapes(min_dims=1, max_dims=4, max_side=3), st.booleans())
def test_reductions_over_any_axes(name: str, data: Any, shape: Any, keepdim: bool) -> None:
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True, min_size=1))
    dims = [axis - len(shape) * data.draw(st.booleans()) for axis in axes]
    x = np.random.default_rng(len(shape)).integers(-1, 3, shape).astype(np.float64)
    result = getattr(dg, name)(dg.tensor(x), dims, keepdim)
    expected = REDUCTIONS[name](x, axis=tuple(dims), keepdims=keepdim)
    assert result.shape == np.shape(expected)
    np.testing.assert_allclose(result.data, expected)
