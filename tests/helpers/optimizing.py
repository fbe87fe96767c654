"""Steps of distgrad's and torch's optimizers on given gradients."""

import numpy as np

import distgrad as dg
from distgrad.flat import FlatLayout
from distgrad.nn import Parameter

SHAPES = [(3, 5), (7,), (), (0, 4), (16, 2)]


def start(dtype, shapes=SHAPES, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.standard_normal(shape).astype(dtype) for shape in shapes]


def gradients(steps, dtype, shapes=SHAPES, seed=1):
    generator = np.random.default_rng(seed)
    return [[generator.standard_normal(s).astype(dtype) for s in shapes] for _ in range(steps)]


def separate(arrays):
    """Parameters in arrays of their own."""
    return [Parameter(array.copy()) for array in arrays]


def flat_views(arrays):
    """Arrays of the same values that are views of one flat buffer."""
    layout = FlatLayout.of(((str(i), a.shape) for i, a in enumerate(arrays)), arrays[0].dtype)
    views = layout.views(layout.empty())
    for view, array in zip(views, arrays, strict=True):
        view[...] = array
    return views


def run(make, arrays, grads):
    """Step an optimizer of distgrad through the gradients; return (optimizer, parameters)."""
    parameters = separate(arrays)
    optimizer = make(parameters)
    for of_step in grads:
        for parameter, gradient in zip(parameters, of_step, strict=True):
            parameter.grad = dg.Tensor(gradient.copy())
        optimizer.step()
    return optimizer, parameters


def run_torch(torch, make, arrays, grads):
    """The same with an optimizer of torch."""
    parameters = [torch.nn.Parameter(torch.tensor(array)) for array in arrays]
    optimizer = make(parameters)
    for of_step in grads:
        for parameter, gradient in zip(parameters, of_step, strict=True):
            parameter.grad = torch.tensor(gradient)
        optimizer.step()
    return optimizer, parameters


def assert_agree(parameters, expected, rtol):
    for parameter, value in zip(parameters, expected, strict=True):
        value = value.detach().numpy() if hasattr(value, "detach") else value
        assert parameter.dtype == value.dtype
        np.testing.assert_allclose(parameter.detach().numpy(), value, rtol=rtol, atol=rtol)


def for_torch(torch, state):
    """A state of distgrad's with tensors of torch in place of ours."""
    if isinstance(state, dict):
        return {key: for_torch(torch, value) for key, value in state.items()}
    if isinstance(state, dg.Tensor):
        return torch.tensor(state.numpy())
    return state
