"""The same call in distgrad and in PyTorch: values, data types, gradients of two orders."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import distgrad as dg
from distgrad.nn import functional as F

Call = Callable[..., Any]
"""From (library, its functions of neural networks, tensors...) to a tensor."""


def evaluate(m: Any, f: Any, call: Call, inputs: list[Any], grad: Any) -> tuple[Any, Any, Any]:
    """The value, and the gradients of first and second order."""
    value = call(m, f, *inputs)
    weights = np.cos(np.arange(value.numel()))
    weights = m.tensor(weights.reshape(tuple(value.shape)))
    first = grad((value * value * weights).sum(), inputs, create_graph=True, allow_unused=True)
    squares = sum((g * g * g).sum() for g in first if g is not None)
    second = grad(squares, inputs, allow_unused=True) if squares.requires_grad else ()
    return value, first, [*second, *[None] * (len(inputs) - len(second))]


def check_gradients(arrays: Sequence[np.ndarray], call: Call) -> None:
    """Compare the value and the gradients of two orders, in float64."""
    torch = pytest.importorskip("torch")
    ours = evaluate(
        dg, F, call, [dg.tensor(x, requires_grad=True) for x in arrays], dg.autograd.grad
    )
    theirs = evaluate(
        torch,
        torch.nn.functional,
        call,
        [torch.tensor(x, requires_grad=True) for x in arrays],
        torch.autograd.grad,
    )
    assert ours[0].shape == tuple(theirs[0].shape)
    np.testing.assert_allclose(ours[0].data, theirs[0].detach(), rtol=1e-13, atol=1e-14)
    for order in (1, 2):
        for mine, other in zip(ours[order], theirs[order], strict=True):
            # One library may know that a gradient is zero where the other computes the zeros.
            a = 0.0 if mine is None else mine.data
            b = 0.0 if other is None else other.detach().numpy()
            np.testing.assert_allclose(a, b + np.zeros_like(a), rtol=1e-10, atol=1e-11)


def check_slopes(
    arrays: Sequence[np.ndarray], call: Call, rtol: float = 1e-6, atol: float = 0
) -> None:
    """Compare value and gradient where they are infinite, nan, or a matter of choice."""
    torch = pytest.importorskip("torch")
    ours = [dg.tensor(x, requires_grad=True) for x in arrays]
    theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
    mine, other = call(dg, F, *ours), call(torch, torch.nn.functional, *theirs)
    check_same(mine.detach(), other.detach(), rtol, atol)
    mine = dg.autograd.grad(mine.sum(), ours, allow_unused=True)
    other = torch.autograd.grad(other.sum(), theirs, allow_unused=True)
    for a, b in zip(mine, other, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            check_same(a, b, rtol, atol)


def check_same(mine: Any, other: Any, rtol: float = 1e-6, atol: float = 0) -> None:
    """Compare data type, shape and values."""
    assert mine.dtype.name == str(other.dtype).removeprefix("torch.")
    assert mine.shape == tuple(other.shape)
    values = other.numpy()
    np.testing.assert_allclose(mine.data, values, rtol=rtol, atol=atol)


def check_refused(call: Call, *inputs: Any) -> None:
    """Both libraries raise."""
    torch = pytest.importorskip("torch")
    with pytest.raises((RuntimeError, TypeError, ValueError, IndexError)):
        call(torch, torch.nn.functional, *(torch.tensor(x) for x in inputs))
    with pytest.raises((RuntimeError, TypeError, ValueError, IndexError)):
        call(dg, F, *(dg.tensor(x) for x in inputs))
