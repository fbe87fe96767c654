"""Every function against PyTorch: values, data types, first and second gradients, in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.halves import NEEDS_BFLOAT16, half
from helpers.parity import check_gradients, check_same

import distgrad as dg
from distgrad.nn import functional as F

torch = pytest.importorskip("torch")
TF = torch.nn.functional

Shapes = list[tuple[int, ...]]

# name: (shapes of the inputs, call of either library)
CALLS: dict[str, tuple[Shapes, Callable[..., Any]]] = {
    "sigmoid": ([(2, 3)], lambda m, f, x: m.sigmoid(x)),
    "x.sigmoid": ([(2, 3)], lambda m, f, x: x.sigmoid()),
    "f.sigmoid": ([(2, 3)], lambda m, f, x: f.sigmoid(x)),
    "erf": ([(2, 3)], lambda m, f, x: m.erf(x)),
    "gelu": ([(2, 3)], lambda m, f, x: f.gelu(x)),
    "gelu tanh": ([(2, 3)], lambda m, f, x: f.gelu(x, approximate="tanh")),
    "silu": ([(2, 3)], lambda m, f, x: f.silu(x)),
    "softmax": ([(2, 3, 4)], lambda m, f, x: m.softmax(x, 1)),
    "x.softmax": ([(2, 3)], lambda m, f, x: x.softmax(-1)),
    "f.softmax": ([(2, 3)], lambda m, f, x: f.softmax(x, dim=0)),
    "softmax of 0-d": ([()], lambda m, f, x: m.softmax(x, 0)),
    "maximum": ([(2, 3), (3,)], lambda m, f, x, y: m.maximum(x, y)),
    "minimum": ([(2, 3), (2, 1)], lambda m, f, x, y: m.minimum(x, y)),
    "maximum, all equal": ([(2, 3)], lambda m, f, x: m.maximum(x, x * 1)),
    "x.maximum": ([(2, 3), (2, 3)], lambda m, f, x, y: x.maximum(y) + x.minimum(y)),
    "where": ([(2, 3), (3,)], lambda m, f, x, y: m.where(x > y, x * y, y)),
    "where, number": ([(2, 3)], lambda m, f, x: m.where(x > 0, x, 0.5)),
    "where, first number": ([(2, 3)], lambda m, f, x: m.where(x > 0, 2, x)),
    "x.where": ([(2, 3), (2, 3)], lambda m, f, x, y: x.where(y > 0, y)),
    "clamp": ([(4, 3)], lambda m, f, x: m.clamp(x, -0.5, 0.5)),
    "clamp min": ([(4, 3)], lambda m, f, x: m.clamp(x, min=0.1)),
    "clamp max": ([(4, 3)], lambda m, f, x: x.clamp(max=0)),
    "clamp tensors": ([(4, 3), (3,), (4, 1)], lambda m, f, x, a, b: m.clamp(x, a, b)),
    "clamp one tensor": ([(4, 3), (3,)], lambda m, f, x, a: x.clamp(max=a)),
    "masked_fill": ([(2, 3)], lambda m, f, x: x.masked_fill(x > 0, 1.5)),
    "masked_fill, 0-d": ([(2, 3), ()], lambda m, f, x, v: x.masked_fill(x > 0, v)),
    "min": ([(2, 3)], lambda m, f, x: m.min(x)),
    "min of dim": ([(2, 3)], lambda m, f, x: m.min(x, 1).values),
    "x.min": ([(2, 3)], lambda m, f, x: x.min(0, keepdim=True)[0]),
    "min of 0-d": ([()], lambda m, f, x: m.min(x, 0).values),
    "var": ([(2, 3)], lambda m, f, x: m.var(x)),
    "var of dim": ([(2, 3, 4)], lambda m, f, x: m.var(x, (0, 2), keepdim=True)),
    "var, correction": ([(2, 3)], lambda m, f, x: x.var(1, correction=0)),
    "std": ([(2, 3)], lambda m, f, x: m.std(x)),
    "std of dim": ([(2, 3, 4)], lambda m, f, x: x.std((0, -1))),
    "std, correction": ([(2, 3)], lambda m, f, x: m.std(x, 1, correction=2, keepdim=True)),
    "logsumexp": ([(2, 3)], lambda m, f, x: m.logsumexp(x, 1)),
    "logsumexp of dims": ([(2, 3, 2)], lambda m, f, x: x.logsumexp((0, 2), keepdim=True)),
    "sum of 0-d": ([()], lambda m, f, x: x.sum(0) * x.mean(-1)),
    "permute": ([(2, 3, 4)], lambda m, f, x: m.permute(x, (2, 0, 1))),
    "x.permute": ([(2, 3, 4)], lambda m, f, x: x.permute(-1, 0, 1)),
    "squeeze": ([(2, 1, 3, 1)], lambda m, f, x: m.squeeze(x)),
    "squeeze dim": ([(2, 1, 3, 1)], lambda m, f, x: m.squeeze(x, 1)),
    "squeeze longer dim": ([(2, 1, 3)], lambda m, f, x: x.squeeze(0)),
    "squeeze dims": ([(2, 1, 3, 1)], lambda m, f, x: x.squeeze((1, -1))),
    "squeeze 0-d": ([()], lambda m, f, x: x.squeeze(0)),
    "unsqueeze": ([(2, 3)], lambda m, f, x: m.unsqueeze(x, -1)),
    "x.unsqueeze": ([(2, 3)], lambda m, f, x: x.unsqueeze(0).unsqueeze(2)),
    "cat": ([(2, 3), (1, 3), (2, 3)], lambda m, f, *xs: m.cat(xs)),
    "cat along 1": ([(2, 3), (2, 1)], lambda m, f, x, y: m.cat([x, y, x], dim=-1)),
    "cat with nothing": ([(2, 3), (0,)], lambda m, f, x, y: m.cat([y, x], dim=1)),
    "stack": ([(2, 3), (2, 3)], lambda m, f, *xs: m.stack(xs)),
    "stack along 2": ([(2, 3), (2, 3)], lambda m, f, x, y: m.stack((x, y, x), dim=-1)),
    "split": ([(5, 3)], lambda m, f, x: m.cat(m.split(x, 2)[::-1])),
    "split in parts": ([(2, 5)], lambda m, f, x: m.split(x, [1, 0, 4], dim=1)[2]),
    "x.split": ([(5, 3)], lambda m, f, x: x.split(3)[0]),
    "chunk": ([(5, 3)], lambda m, f, x: m.chunk(x, 3)[1] * m.chunk(x, 3)[0]),
    "x.chunk": ([(2, 4)], lambda m, f, x: m.stack(x.chunk(2, -1))),
    "view": ([(2, 6)], lambda m, f, x: x.view(3, 4).view(-1)),
    "contiguous": ([(2, 3)], lambda m, f, x: x.transpose(0, 1).contiguous().view(-1)),
    "float": ([(2, 3)], lambda m, f, x: x.float().double()),
    "pad": ([(2, 3)], lambda m, f, x: f.pad(x, (1, 2))),
    "pad two": ([(2, 3)], lambda m, f, x: f.pad(x, (1, 0, 0, 2), value=2.0)),
    "pad, mode": ([(2, 3)], lambda m, f, x: f.pad(x, [1, 0], "constant", -1)),
    "pad less": ([(3, 4)], lambda m, f, x: f.pad(x, (-1, 1, 1, -2))),
    "pad all": ([(1, 2, 3)], lambda m, f, x: f.pad(x, (1, 1, 2, 0, 0, 1))),
    "einsum product": ([(2, 3), (3, 4)], lambda m, f, x, y: m.einsum("ij,jk->ik", x, y)),
    "einsum list": ([(2, 3), (3, 4)], lambda m, f, *xs: m.einsum("ij,jk", xs)),
    "einsum heads": (
        [(2, 3, 2, 4), (2, 3, 2, 4)],
        lambda m, f, q, k: m.einsum("bqhd, bkhd -> bhqk", q, k),
    ),
    "einsum trace": ([(3, 3)], lambda m, f, x: m.einsum("ii", x)),
    "einsum diagonal": ([(3, 3), (3,)], lambda m, f, x, y: m.einsum("ii,i->i", x, y)),
    "einsum thrice": ([(2, 2, 2)], lambda m, f, x: m.einsum("iii->i", x)),
    "einsum ellipsis": (
        [(2, 1, 2, 3), (2, 3, 2)],
        lambda m, f, x, y: m.einsum("...ij,...jk->...ik", x, y),
    ),
    "einsum implicit ellipsis": ([(2, 2, 3), (3,)], lambda m, f, x, y: m.einsum("...i,i", x, y)),
    "einsum ellipsis summed": ([(2, 2, 3)], lambda m, f, x: m.einsum("...i->i", x)),
    "einsum three": (
        [(2, 3), (3, 4), (2, 4)],
        lambda m, f, x, y, z: m.einsum("ij,jk,ik->i", x, y, z),
    ),
    "einsum outer": ([(2,), (3,)], lambda m, f, x, y: m.einsum("i,j->ji", x, y)),
    "einsum capitals": ([(2, 3), (3, 2)], lambda m, f, x, y: m.einsum("bA,AC", x, y)),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients(name: str) -> None:
    shapes, call = CALLS[name]
    generator = np.random.default_rng(len(name))
    check_gradients([generator.standard_normal(shape) for shape in shapes], call)


# What is an operation of its own in one library and several in the other rounds more often there.
SEVERAL = {"einsum three"}


@NEEDS_BFLOAT16
@pytest.mark.parametrize("name", [name for name in CALLS if name not in SEVERAL])
def test_in_bfloat16(name: str) -> None:
    """The value to the last digit but one, and gradients; what is saved for them is rounded."""
    shapes, call = CALLS[name]
    generator = np.random.default_rng(len(name))
    drawn = [generator.standard_normal(shape).astype(half("bf16")) for shape in shapes]
    ours = [dg.tensor(x, requires_grad=True) for x in drawn]
    theirs = [torch.tensor(x.astype(np.float32)).bfloat16().requires_grad_() for x in drawn]
    mine, other = call(dg, F, *ours), call(torch, TF, *theirs)
    assert str(other.dtype) == f"torch.{mine.dtype.name}"
    check_digits(mine, other, 1)
    weights = np.cos(np.arange(mine.numel())).reshape(mine.shape)
    mine.backward(dg.tensor(weights).to(mine.dtype))
    other.backward(torch.tensor(weights).to(other.dtype))
    for a, b in zip(ours, theirs, strict=True):
        if a.grad is not None and b.grad is not None:
            assert a.grad.dtype == half("bf16")
            check_digits(a.grad, b.grad, 2)


def check_digits(mine: Any, other: Any, units: int) -> None:
    """Compare values that may differ by so many units in the last place; small ones by more."""
    a, b = mine.detach().float().numpy(), other.detach().float().numpy()
    small = (units - 1) * 2.0**-8 * np.abs(b).max(initial=0)
    np.testing.assert_allclose(a, b, rtol=units * 2.0**-7, atol=small)


# Ties, bounds that are met, bounds that cross: gradients where a difference quotient means nothing.

TIES: dict[str, Callable[..., Any]] = {
    "maximum": lambda m, x, y: m.maximum(x, y),
    "minimum": lambda m, x, y: m.minimum(x, y),
    "clamp": lambda m, x, y: m.clamp(x, -1, 1),
    "clamp from below": lambda m, x, y: m.clamp(x, min=y),
    "clamp from above": lambda m, x, y: m.clamp(x, max=y),
    "crossed bounds": lambda m, x, y: m.clamp(x, y, -y),
    "min": lambda m, x, y: x.min() * y,
    "min of dim": lambda m, x, y: x.min(0).values * y,
    "std of equals": lambda m, x, y: (x * 0 + 2).std(1) * y.sum(),
    "where of infinities": lambda m, x, y: m.where(x > 0, m.sqrt(m.where(x > 0, x, y * 0)), 0),
}


@pytest.mark.parametrize("name", TIES)
def test_gradients_at_ties(name: str) -> None:
    x = np.array([[-2.0, -1, 0, 1, 2], [1, -1, 0, 0, -2]])
    y = np.array([[-1.0, -1, 1, 1, 2], [1, 0, 0, 1, -2]])
    call = TIES[name]
    ours = [dg.tensor(v, requires_grad=True) for v in (x, y)]
    theirs = [torch.tensor(v, requires_grad=True) for v in (x, y)]
    mine = dg.autograd.grad(call(dg, *ours).sum(), ours, allow_unused=True)
    other = torch.autograd.grad(call(torch, *theirs).sum(), theirs, allow_unused=True)
    for a, b in zip(mine, other, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(a.data, b.numpy())


# Data types

TYPES = ("float32", "float64", "int32", "int64", "bool")
PROMOTED: dict[str, Callable[..., Any]] = {
    "maximum": lambda m, x, y: m.maximum(x, y),
    "where": lambda m, x, y: m.where(x > 0, x, y),
    "clamp": lambda m, x, y: m.clamp(x, min=y),
    "cat": lambda m, x, y: m.cat([x, y]),
    "stack": lambda m, x, y: m.stack([x, y]),
}
CONVERTED: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda m, x: m.sigmoid(x),
    "erf": lambda m, x: m.erf(x),
    "logsumexp": lambda m, x: m.logsumexp(x, 0),
    "where number": lambda m, x: m.where(x > 0, x, 1),
    "where float": lambda m, x: m.where(x > 0, x, 1.5),
    "where numbers": lambda m, x: m.where(x > 0, 1.0, 0.0),
    "where whole numbers": lambda m, x: m.where(x > 0, 1, 0),
    "clamp number": lambda m, x: m.clamp(x, max=1),
    "clamp float": lambda m, x: m.clamp(x, max=0.5),
    "float": lambda m, x: x.float(),
    "double": lambda m, x: x.double(),
    "long": lambda m, x: x.long(),
    "bool": lambda m, x: x.bool(),
    "argmin": lambda m, x: m.argmin(x),
    "min": lambda m, x: m.min(x, 0).indices,
    "pad": lambda m, x: (F if m is dg else TF).pad(x, (1, 1)),
    "masked_fill": lambda m, x: x.masked_fill(x > 0, 0),
}


@pytest.mark.parametrize("b", TYPES)
@pytest.mark.parametrize("a", TYPES)
@pytest.mark.parametrize("name", PROMOTED)
def test_promotion(name: str, a: str, b: str) -> None:
    if name == "clamp" and a == b == "bool":
        return  # PyTorch has none
    arrays = np.array([0, 1, 2]).astype(a), np.array([1, 1, 0]).astype(b)
    check_same(
        PROMOTED[name](dg, *(dg.tensor(x) for x in arrays)),
        PROMOTED[name](torch, *(torch.tensor(x) for x in arrays)),
    )


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", CONVERTED)
def test_conversion(name: str, dtype: str) -> None:
    if dtype == "bool" and name in ("logsumexp", "argmin", "min"):
        return  # PyTorch has none
    x = np.array([0, 1, 2]).astype(dtype)
    check_same(CONVERTED[name](dg, dg.tensor(x)), CONVERTED[name](torch, torch.tensor(x)))


# Shapes of parts


@pytest.mark.parametrize("length", [0, 1, 5, 6])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 7])
def test_lengths_of_parts(length: int, n: int) -> None:
    ours, theirs = dg.zeros(length), torch.zeros(length)
    assert [len(x) for x in ours.chunk(n)] == [len(x) for x in theirs.chunk(n)]
    assert [len(x) for x in ours.split(n)] == [len(x) for x in theirs.split(n)]


# Edges of the reductions

EDGES = [[np.inf, 1.0], [-np.inf, -np.inf], [-np.inf, 1.0], [1000.0, 1000.0], [-1000.0, -1001.0]]


@pytest.mark.parametrize("values", EDGES)
def test_logsumexp_far_away(values: list[float]) -> None:
    mine = dg.tensor(values, requires_grad=True)
    other = torch.tensor(values, requires_grad=True)
    dg.logsumexp(mine, 0).backward()
    torch.logsumexp(other, 0).backward()
    np.testing.assert_allclose(
        dg.logsumexp(mine, 0).data, torch.logsumexp(other, 0).detach().numpy()
    )
    np.testing.assert_allclose(mine.grad.data, other.grad.numpy(), rtol=1e-6)


def test_reductions_of_nothing() -> None:
    for shape, dim in [((0,), 0), ((2, 0), 1)]:
        mine = dg.logsumexp(dg.zeros(*shape), dim).data
        np.testing.assert_array_equal(mine, torch.logsumexp(torch.zeros(shape), dim).numpy())
        assert np.isnan(dg.var(dg.zeros(*shape), dim).data).all()
    assert np.isnan(dg.ones(1).std().item())
    assert torch.ones(1).double().var(correction=0).item() == dg.ones(1).var(correction=0).item()
