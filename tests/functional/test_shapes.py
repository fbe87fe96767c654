"""Changes of shape, joins, parts, arrangements: values by NumPy, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import distgrad as dg

X = np.arange(24.0).reshape(2, 3, 4)
M = X[0]

CALLS: dict[str, tuple[Callable[[Any], Any], Callable[[], Any]]] = {
    "ravel": (dg.ravel, X.ravel),
    "unflatten": (lambda x: dg.unflatten(x, -1, (2, -1)), lambda: X.reshape(2, 3, 2, 2)),
    "reshape_as": (lambda x: x.reshape_as(dg.zeros(6, 4)), lambda: X.reshape(6, 4)),
    "view_as": (lambda x: x.view_as(dg.zeros(6, 4)), lambda: X.reshape(6, 4)),
    "t": (lambda x: dg.t(x[0]), lambda: M.T),
    "t of a vector": (lambda x: x[0, 0].t(), lambda: M[0]),
    "mT": (lambda x: x.mT, lambda: X.transpose(0, 2, 1)),
    "swapaxes": (lambda x: dg.swapaxes(x, 0, -1), lambda: X.T),
    "movedim": (lambda x: dg.movedim(x, (0, 1), (-1, 0)), lambda: np.moveaxis(X, (0, 1), (-1, 0))),
    "broadcast_to": (lambda x: dg.broadcast_to(x[:, :1], (2, 5, -1)), lambda: X[:, [0] * 5]),
    "expand_as": (lambda x: x[:, :1].expand_as(x), lambda: X[:, [0] * 3]),
    "broadcast_tensors": (
        lambda x: dg.broadcast_tensors(x, x[0, :1])[1],
        lambda: np.broadcast_to(M[:1], X.shape),
    ),
    "atleast_1d": (lambda x: dg.atleast_1d(x[0, 0, 0]), lambda: X[0, 0, :1]),
    "atleast_2d": (lambda x: dg.atleast_2d(x[0, 0], x)[0], lambda: M[:1]),
    "atleast_3d": (lambda x: dg.atleast_3d([x[0, 0]])[0], lambda: np.atleast_3d(M[0])),
    "hstack": (lambda x: dg.hstack([x, x]), lambda: np.hstack([X, X])),
    "hstack of vectors": (lambda x: dg.hstack(x[0, :2].unbind()), X[0, :2].ravel),
    "vstack": (lambda x: dg.vstack([x[0, 0], x[0]]), lambda: np.vstack([M[0], M])),
    "dstack": (lambda x: dg.dstack([x[0], x[1]]), lambda: np.dstack([X[0], X[1]])),
    "column_stack": (
        lambda x: dg.column_stack([x[0, :, 0], x[1]]),
        lambda: np.column_stack([X[0, :, 0], X[1]]),
    ),
    "meshgrid": (
        lambda x: dg.meshgrid(x[0, 0], x[0, :, 0], indexing="xy")[1],
        lambda: np.meshgrid(M[0], M[:, 0])[1],
    ),
    "tensor_split": (lambda x: dg.tensor_split(x, 3, 2)[0], lambda: np.array_split(X, 3, 2)[0]),
    "tensor_split at": (
        lambda x: dg.tensor_split(x, dg.tensor([1, -1]), -1)[1],
        lambda: np.split(X, [1, -1], -1)[1],
    ),
    "hsplit": (lambda x: dg.hsplit(x, 3)[2], lambda: np.hsplit(X, 3)[2]),
    "hsplit of a vector": (lambda x: x[0, 0].hsplit([1])[1], lambda: M[0, 1:]),
    "vsplit": (lambda x: dg.vsplit(x, 2)[1], lambda: X[1:]),
    "dsplit": (lambda x: dg.dsplit(x, (1, 3))[1], lambda: X[:, :, 1:3]),
    "split_with_sizes": (lambda x: dg.split_with_sizes(x, [1, 2], 1)[1], lambda: X[:, 1:]),
    "select": (lambda x: dg.select(x, 1, -1), lambda: X[:, -1]),
    "narrow": (lambda x: dg.narrow(x, -1, dg.tensor(-3), 2), lambda: X[..., 1:3]),
    "unbind": (lambda x: dg.unbind(x, 1)[2], lambda: X[:, 2]),
    "unfold": (
        lambda x: x.unfold(2, 2, 1),
        lambda: np.lib.stride_tricks.sliding_window_view(X, 2, 2),
    ),
    "unfold of a number": (lambda x: x[0, 0, 1].unfold(0, 1, 1), lambda: X[0, 0, 1:2]),
    "clone": (dg.clone, X.copy),
    "flip": (lambda x: dg.flip(x, (0, -1)), lambda: np.flip(X, (0, -1))),
    "fliplr": (dg.fliplr, lambda: np.fliplr(X)),
    "flipud": (dg.flipud, lambda: np.flipud(X)),
    "roll": (lambda x: dg.roll(x, (1, -2), (0, 2)), lambda: np.roll(X, (1, -2), (0, 2))),
    "roll of all": (lambda x: dg.roll(x, 5), lambda: np.roll(X, 5)),
    "rot90": (lambda x: dg.rot90(x, 3, (2, 0)), lambda: np.rot90(X, 3, (2, 0))),
    "rot90 by half": (lambda x: x.rot90(-2), lambda: np.rot90(X, 2)),
    "repeat": (lambda x: x.repeat(2, 1, 1, 3), lambda: np.tile(X, (2, 1, 1, 3))),
    "tile": (lambda x: dg.tile(x, (2, 2)), lambda: np.tile(X, (2, 2))),
    "repeat_interleave": (lambda x: dg.repeat_interleave(x, 2), lambda: np.repeat(X, 2)),
    "repeat_interleave each": (
        lambda x: dg.repeat_interleave(x, dg.tensor([2, 0, 1]), 1, output_size=3),
        lambda: np.repeat(X, [2, 0, 1], 1),
    ),
    "diff": (lambda x: dg.diff(x * x, 2), lambda: np.diff(X * X, 2)),
    "diff with ends": (
        lambda x: dg.diff(x, dim=1, prepend=x[:, :1], append=x[:, :2]),
        lambda: np.diff(X, axis=1, prepend=X[:, :1], append=X[:, :2]),
    ),
    "by name": (
        lambda x: x.permute(dims=(2, 0, 1)).reshape(shape=(4, 6)).flip(dims=(1,)).tile(dims=(2,)),
        lambda: np.tile(X.transpose(2, 0, 1).reshape(4, 6)[:, ::-1], 2),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients(name: str) -> None:
    call, reference = CALLS[name]
    x = dg.tensor(X, requires_grad=True)
    np.testing.assert_array_equal(call(x).data, reference())
    assert dg.autograd.gradcheck(lambda x: call(x) ** 2, x)


def test_what_has_memory_of_its_own() -> None:
    x = dg.tensor(X)
    own = (x.flip(()), x.roll(0), x.rot90(0), x.rot90(4), x.repeat(1, 1, 1), x.tile(1), x.diff(0))
    for y in (*own, x.repeat_interleave(1), x.clone()):
        assert not np.shares_memory(y.data, x.data)
    views = (x.mT, x.movedim(0, 2), x.unfold(1, 2, 1), x.narrow(0, 0, 1), *x.unbind(), x.ravel())
    for y in (
        *views,
        *x.tensor_split(2),
        x.unflatten(0, (1, 2)),
        x.squeeze(),
        x[:, :1].expand_as(x),
    ):
        assert np.shares_memory(y.data, x.data)


def test_differences_of_truth_values() -> None:
    assert dg.diff(dg.tensor([True, True, False])).tolist() == [False, True]
    assert dg.diff(dg.tensor([1, 2]), 5).shape == (0,)


def test_places_repeated() -> None:
    assert dg.repeat_interleave(dg.tensor([2, 0, 1])).tolist() == [0, 0, 2]


T = dg.Tensor(X)
NUMBER = dg.tensor(1.0)

REFUSED: list[tuple[type[Exception], str, Callable[[], Any]]] = [
    (RuntimeError, r"permute\(\) names an axis twice: \(0, 0, 1\)", lambda: T.permute(0, 0, 1)),
    (RuntimeError, r"names each axis once, got 2 for .* \(2, 3, 4\)", lambda: T.permute(0, 1)),
    (RuntimeError, r"t\(\) takes a matrix or less, got .*use transpose", lambda: dg.t(T)),
    (RuntimeError, r"mT needs at least a matrix, got .* \(4,\)", lambda: T[0, 0].mT),
    (RuntimeError, r"one destination, got 1 and 2", lambda: T.movedim(0, (1, 2))),
    (RuntimeError, r"movedim\(\) names an axis twice", lambda: T.movedim((0, -3), (1, 2))),
    (RuntimeError, r"squeeze\(\) names an axis twice", lambda: T.squeeze((0, 0))),
    (RuntimeError, r"sizes \(3, 2\) must multiply to 4", lambda: T.unflatten(2, (3, 2))),
    (RuntimeError, r"sizes \(3, 1\) must multiply to 4", lambda: T.unflatten(2, (3, -1))),
    (RuntimeError, r"makes an axis several, got sizes \(\)", lambda: T.unflatten(2, ())),
    (RuntimeError, r"to \(-1, 2, 3, 4\).*new axes come first", lambda: T.expand(-1, 2, 3, 4)),
    (RuntimeError, r"to \(3, 4\)", lambda: dg.broadcast_to(T, (3, 4))),
    (
        RuntimeError,
        r"shapes \[\(2, 3, 4\), \(2,\)\] do not broadcast",
        lambda: dg.broadcast_tensors(T, dg.ones(2)),
    ),
    (RuntimeError, r"one data type, got shapes \[\(2, 3, 4\)\]", lambda: dg.meshgrid(T)),
    (RuntimeError, r"types \['bool', 'int64'\]", lambda: dg.meshgrid([[True], [1]])),
    (
        RuntimeError,
        r"indexing must be \"ij\" or \"xy\", got 'yx'",
        lambda: dg.meshgrid([1], indexing="yx"),
    ),
    (ValueError, r"hstack\(\) needs at least one tensor", lambda: dg.hstack([])),
    (RuntimeError, r"chunk\(\) needs an axis, got a 0-d tensor", lambda: NUMBER.chunk(1)),
    (RuntimeError, r"at least 1 section, got 0", lambda: T.tensor_split(0)),
    (RuntimeError, r"hsplit\(\): 2 sections do not divide 3, .*dim 1", lambda: T.hsplit(2)),
    (RuntimeError, r"dsplit\(\) needs 3 axes or more", lambda: dg.dsplit(T[0], 2)),
    (IndexError, r"index 3 is out of range .*use -3 to 2", lambda: dg.select(T, 1, 3)),
    (IndexError, r"select\(\) needs an axis", lambda: NUMBER.select(0, 0)),
    (RuntimeError, r"3 elements from 2 on .* length 4", lambda: T.narrow(2, 2, 3)),
    (IndexError, r"0 elements from 5 on .* length 4", lambda: T.narrow(2, 5, 0)),
    (RuntimeError, "takes a whole number to start from", lambda: T.narrow(0, dg.tensor(0.5), 1)),
    (RuntimeError, r"size from 0 to 4.*got size=5 and step=1", lambda: T.unfold(2, 5, 1)),
    (RuntimeError, r"got size=1 and step=0", lambda: T.unfold(2, 1, 0)),
    (RuntimeError, r"fliplr\(\) needs 2 axes or more", lambda: dg.fliplr(T[0, 0])),
    (RuntimeError, r"flip\(\) names an axis twice", lambda: dg.flip(T, (0, -3))),
    (RuntimeError, "takes one shift, got 2", lambda: dg.roll(T, (1, 2))),
    (RuntimeError, "one shift for each of dims, got 2 and 1", lambda: dg.roll(T, (1, 2), 0)),
    (RuntimeError, r"turns two axes, got dims=\(0,\)", lambda: dg.rot90(T, 1, (0,))),
    (RuntimeError, r"repeat\(\) takes a number for each axis", lambda: T.repeat(2)),
    (RuntimeError, r"negative number of times, got \(-1,\)", lambda: dg.tile(T, (-1,))),
    (RuntimeError, "whole and not negative", lambda: T.repeat_interleave(-1)),
    (RuntimeError, "each of the 2 elements.*got 3", lambda: T.repeat_interleave([1] * 3, 0)),
    (RuntimeError, "up to 2, not .*=3", lambda: T.repeat_interleave(1, 0, output_size=3)),
    (RuntimeError, "alone takes a vector", lambda: dg.repeat_interleave(T)),
    (RuntimeError, "not a negative number: -1", lambda: dg.diff(T, -1)),
]  # fmt: skip


@pytest.mark.parametrize(("error", "message", "call"), REFUSED)
def test_refused(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error, match=message):
        call()
