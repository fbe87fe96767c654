"""What the next random draw is keyed by."""

import threading

import numpy as np
import pytest

import distgrad as dg
from distgrad.autograd import next_generator, random_scope
from distgrad.backend import Stream, philox


def draw() -> list[float]:
    return next_generator().random(3).tolist()


def test_a_draw_is_named_by_seed_step_micro_batch_and_call() -> None:
    with random_scope(7, step=2, micro_batch=3):
        draws = [draw() for _ in range(3)]
    expected = [philox(7, Stream.MODEL, 2, 3, call).random(3).tolist() for call in range(3)]
    assert draws == expected


@pytest.mark.parametrize(
    "other", [{"seed": 8}, {"seed": 7, "step": 1}, {"seed": 7, "micro_batch": 1}]
)
def test_another_key_gives_other_bits(other) -> None:
    with random_scope(7):
        one = draw()
    with random_scope(**other):
        assert draw() != one


def test_scopes_nest_and_go_on_where_they_were() -> None:
    with random_scope(1):
        first = draw()
        with random_scope(1):
            assert draw() == first
        second = draw()
    with random_scope(1):
        assert [draw(), draw()] == [first, second]
    assert first != second


def test_manual_seed_starts_anew() -> None:
    dg.manual_seed(3)
    one = dg.rand(4).tolist()
    two = dg.rand(4).tolist()
    dg.manual_seed(3)
    assert dg.rand(4).tolist() == one
    assert two != one
    dg.manual_seed(4)
    assert dg.rand(4).tolist() != one


def test_manual_seed_inside_a_scope_ends_with_it() -> None:
    dg.manual_seed(3)
    first = draw()
    dg.manual_seed(3)
    with random_scope(9):
        dg.manual_seed(5)
        draw()
    assert draw() == first


def test_a_new_thread_starts_with_seed_0() -> None:
    dg.manual_seed(3)
    drawn: list[list[float]] = []
    thread = threading.Thread(target=lambda: drawn.append(draw()))
    thread.start()
    thread.join(10)
    assert drawn == [philox(0, Stream.MODEL, 0, 0, 0).random(3).tolist()]


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_that_do_not_fit(seed) -> None:
    with pytest.raises(ValueError, match=r"seed must be from 0 to 2\*\*64 - 1"):
        dg.manual_seed(seed)


def test_largest_seed() -> None:
    dg.manual_seed(2**64 - 1)
    assert np.isfinite(draw()).all()
