import threading
import traceback

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.data.workers import Workers, ordered_map


def alive():
    return [t.name for t in threading.enumerate() if t.name.startswith("distgrad-data")]


@given(st.lists(st.integers()), st.integers(0, 4))
def test_results_come_in_the_order_of_the_tasks(tasks, num_workers):
    assert list(ordered_map(lambda task: -task, tasks, num_workers)) == [-t for t in tasks]
    assert alive() == []


def test_a_slow_task_does_not_change_the_order():
    gate = threading.Event()

    def work(task):
        if task == 0:
            assert gate.wait(30)
        elif task == 2:
            gate.set()
        return task

    assert list(ordered_map(work, range(6), num_workers=2)) == list(range(6))


def test_tasks_are_taken_only_so_far_ahead():
    taken = []

    def tasks():
        for task in range(100):
            taken.append(task)
            yield task

    results = ordered_map(abs, tasks(), num_workers=2)
    assert taken == []
    assert next(results) == 0
    assert len(taken) == 5
    assert next(results) == 1
    assert len(taken) == 6
    results.close()


def test_tasks_are_taken_in_the_thread_of_the_consumer_and_done_in_others():
    def tasks():
        for _ in range(3):
            yield threading.current_thread()

    for num_workers, in_main in [(0, True), (2, False)]:
        for taker, worker in ordered_map(
            lambda taker: (taker, threading.current_thread()), tasks(), num_workers
        ):
            assert taker is threading.main_thread()
            assert (worker is threading.main_thread()) == in_main


@pytest.mark.parametrize("num_workers", [0, 1, 3])
def test_an_exception_comes_in_its_place_with_its_traceback(num_workers):
    def breaks_at_three(task):
        if task == 3:
            raise LookupError("no sample three")
        return task

    results = ordered_map(breaks_at_three, range(9), num_workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError, match="no sample three") as raised:
        next(results)
    assert "breaks_at_three" in "".join(traceback.format_exception(raised.value))
    assert list(results) == []
    assert alive() == []


def test_an_exception_of_the_tasks_ends_the_threads():
    def tasks():
        yield 1
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        list(ordered_map(abs, tasks(), num_workers=2))
    assert alive() == []


def test_threads_end_when_the_iteration_is_left():
    for result in ordered_map(abs, range(10**9), num_workers=3):
        assert alive()
        if result == 4:
            break
    assert alive() == []


def test_what_was_not_begun_when_the_iteration_is_left_is_not_done():
    done = []
    results = ordered_map(done.append, range(1000), num_workers=1)
    next(results)
    results.close()
    assert len(done) <= 3
    assert alive() == []


def test_an_iteration_can_end_in_one_of_its_threads():
    workers = Workers(1)
    assert workers.submit(lambda _: workers.close(), None).result(30) is None


def test_the_context_is_that_of_the_consumer():
    def look(_):
        return dg.is_grad_enabled(), np.geterr()["over"]

    with dg.no_grad(), np.errstate(over="raise"):
        assert list(ordered_map(look, range(3), num_workers=2)) == [(False, "raise")] * 3
