"""The form of a batch: what tells two batches apart, and what has no form."""

from typing import Any, NamedTuple

import pytest

import distgrad as dg
from distgrad.distributed.data_parallel.forms import form_of


class Pair(NamedTuple):
    x: Any
    y: Any


def form(batch: Any) -> Any:
    return form_of(batch, lambda tensor: tensor.shape)


def test_tensors_are_met_in_order() -> None:
    met: list[Any] = []
    x, y, z = (dg.zeros(size) for size in (1, 2, 3))
    form_of({"a": x, "b": (y, [z])}, met.append)  # append returns None: no form, and yet all seen
    assert met[0] is x
    found: list[tuple[int, ...]] = []

    def shape(tensor: dg.Tensor) -> Any:
        found.append(tensor.shape)
        return tensor.shape

    assert form_of({"a": x, "b": (y, [z])}, shape) is not None
    assert found == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.0, -0.0),
        (1, 1.0),
        (1, True),
        (None, "None"),
        ("1", 1),
        ((1, 2), [1, 2]),
        ((1, 2), Pair(1, 2)),
        ({"a": 1}, {"b": 1}),
        (dg.zeros(2), dg.zeros(2, 1)),
        ({"a": (dg.zeros(2), 1)}, {"a": (dg.zeros(2), 2)}),
    ],
)
def test_batches_of_two_forms(one: Any, other: Any) -> None:
    assert form(one) != form(other)


@pytest.mark.parametrize("batch", [float("nan"), (1, "a", None), Pair(dg.zeros(2), {"n": -0.0})])
def test_a_batch_has_one_form(batch: Any) -> None:
    assert form(batch) == form(batch)
    assert hash(form(batch)) == hash(form(batch))


@pytest.mark.parametrize(
    "batch",
    [object(), {"a": {1, 2}}, [dg.zeros(2), b"x"], dg.zeros(2, requires_grad=True) * 2],
)
def test_what_has_no_form(batch: Any) -> None:
    assert form(batch) is None
