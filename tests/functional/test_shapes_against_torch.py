"""Changes of shape, joins, parts, arrangements: against PyTorch."""

from typing import Any

import numpy as np
import pytest
from helpers.parity import Call, check_gradients, check_refused, check_same

import distgrad as dg

torch = pytest.importorskip("torch")

CALLS: dict[str, Call] = {
    "reshape": lambda m, f, x: m.reshape(x, (4, -1)) + x.reshape(4, 6),
    "flatten": lambda m, f, x: m.flatten(x, 0, 1) * x.flatten(-3, 1),
    "unflatten": lambda m, f, x: m.unflatten(x, 2, (2, 2)),
    "ravel": lambda m, f, x: m.ravel(x.mT),
    "mT": lambda m, f, x: x.mT @ x,
    "t": lambda m, f, x: m.t(x[0]),
    "movedim": lambda m, f, x: m.movedim(x, (0, 2), (1, 0)) * m.moveaxis(x, 2, 0),
    "swapaxes": lambda m, f, x: m.swapaxes(x, 0, 1) * x.swapdims(1, 0),
    "broadcast": lambda m, f, x: m.broadcast_to(x[:, :1], (3, 2, 5, 4)),
    "broadcast_tensors": lambda m, f, x: m.broadcast_tensors(x, x[0, :, :1])[1],
    "expand": lambda m, f, x: x[:, :1].expand(-1, 3, 4).expand_as(x),
    "repeat": lambda m, f, x: x.repeat(2, 1, 3, 1),
    "repeat no times": lambda m, f, x: x.repeat(0, 1, 1).sum() + x,
    "tile": lambda m, f, x: m.tile(x, (2, 3)),
    "repeat_interleave": lambda m, f, x: m.repeat_interleave(x, 3) * x.repeat_interleave(3),
    "repeat_interleave each": lambda m, f, x: x.repeat_interleave(m.tensor([2, 0, 1]), 1),
    "hstack": lambda m, f, x: m.hstack([x, x * x]),
    "vstack": lambda m, f, x: m.vstack((x[0], x[1, 0])),
    "dstack": lambda m, f, x: m.dstack((x[0], x[1, :, :])),
    "column_stack": lambda m, f, x: m.column_stack((x[0, :, 0], x[1])),
    "meshgrid": lambda m, f, x: m.meshgrid(x[0, 0], x[1, :, 0], indexing="ij")[0],
    "meshgrid xy": lambda m, f, x: m.stack(m.meshgrid([x[0, 0], x[1, :, 0]], indexing="xy")),
    "tensor_split": lambda m, f, x: m.tensor_split(x, 3, -1)[0],
    "tensor_split at": lambda m, f, x: m.tensor_split(x, (1, 3, 9), dim=2)[1],
    "hsplit": lambda m, f, x: m.hsplit(x, 3)[0] * x.vsplit(2)[1][0, 0] * x.dsplit([1])[0],
    "select": lambda m, f, x: m.select(x, 1, -2) * x.select(-1, 0)[:, :1],
    "narrow": lambda m, f, x: m.narrow(x, 2, -2, 2) * x.narrow(1, 0, 1)[..., :2],
    "unbind": lambda m, f, x: m.unbind(x, 2)[3] * x.unbind()[0][:, 0],
    "unfold": lambda m, f, x: x.unfold(2, 3, 1) * x.unfold(1, 2, 1).sum(),
    "unfold with gaps": lambda m, f, x: x.unfold(2, 1, 3),
    "flip": lambda m, f, x: m.flip(x, (0, 2)) * x.flip(1),
    "fliplr": lambda m, f, x: m.fliplr(x) * m.flipud(x),
    "roll": lambda m, f, x: m.roll(x, 5) * x.roll((1, -1), (0, 2)),
    "rot90": lambda m, f, x: m.rot90(x, 1, (1, 2)) * x.rot90(-1, (2, 1)),
    "diff": lambda m, f, x: m.diff(x, n=2) * m.diff(x, dim=0, append=x)[1:, :, :2],
    "atleast": lambda m, f, x: m.atleast_3d(x[0]) * m.atleast_2d(x[0, 0, 0]),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients(name: str) -> None:
    x = np.random.default_rng(len(name)).standard_normal((2, 3, 4))
    check_gradients([x], CALLS[name])


def test_nothing_and_single_numbers() -> None:
    for x in (np.zeros((0, 3)), np.array(2.0)):
        for call in (
            lambda m, x: m.ravel(x),
            lambda m, x: m.flatten(x),
            lambda m, x: m.squeeze(x),
            lambda m, x: m.unsqueeze(x, -1),
            lambda m, x: m.tile(x, (2, 2)),
            lambda m, x: x.repeat(2, 0, 3),
            lambda m, x: m.roll(x, 1),
            lambda m, x: m.flip(x, (-1,)),
            lambda m, x: m.stack([x, x], -1),
            lambda m, x: m.hstack([x, x]),
            lambda m, x: x.unfold(-1, 1, 1),
            lambda m, x: m.t(x),
        ):
            check_same(call(dg, dg.tensor(x)), call(torch, torch.tensor(x)))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
def test_data_types(dtype: str) -> None:
    x = np.array([[0, 1, 2], [3, 0, 1]]).astype(dtype)
    for call in (
        lambda m, x: m.diff(x),
        lambda m, x: m.tile(x, (2,)),
        lambda m, x: m.roll(x, 1, 0),
        lambda m, x: m.vstack([x, m.tensor([0.5, 1, 2])]),
        lambda m, x: m.column_stack([x, m.tensor([True, False])]),
    ):
        check_same(call(dg, dg.tensor(x)), call(torch, torch.tensor(x)))


CUBE = np.ones((2, 3, 4))
REFUSED: list[tuple[Call, Any]] = [
    (lambda m, f, x: x.reshape(5), CUBE),
    (lambda m, f, x: x.reshape(-1, 0), CUBE[:0]),
    (lambda m, f, x: x.permute(0, 1), CUBE),
    (lambda m, f, x: x.permute(0, 1, 1), CUBE),
    (lambda m, f, x: x.transpose(0, 3), CUBE),
    (lambda m, f, x: x.expand(-1, 2, 3, 4), CUBE),
    (lambda m, f, x: x.expand(2, 3, 5), CUBE),
    (lambda m, f, x: x.repeat(2), CUBE),
    (lambda m, f, x: m.movedim(x, (0, 0), (1, 2)), CUBE),
    (lambda m, f, x: m.tile(x, (-1,)), CUBE),
    (lambda m, f, x: m.roll(x, 1, 0), np.array(1.0)),
    (lambda m, f, x: m.cat([x, x]), np.array(1.0)),
    (lambda m, f, x: m.cat([x, x[0]]), CUBE),
    (lambda m, f, x: m.diff(x), np.array(1.0)),
    (lambda m, f, x: m.hsplit(x, 2), CUBE),
    (lambda m, f, x: m.unbind(x), np.array(1.0)),
    (lambda m, f, x: x.unfold(0, 3, 1), CUBE),
]


@pytest.mark.parametrize(("call", "x"), REFUSED)
def test_refused_by_both(call: Call, x: Any) -> None:
    check_refused(call, x)
