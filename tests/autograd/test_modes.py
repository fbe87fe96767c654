"""Whether operations are recorded: nested, decorated, in threads."""

import threading

import pytest

import distgrad as dg
from distgrad.autograd import set_grad_enabled


@pytest.fixture
def x() -> dg.Tensor:
    return dg.ones(2, requires_grad=True)


def test_nested(x) -> None:
    assert dg.is_grad_enabled()
    with dg.no_grad():
        assert not (x * 2).requires_grad
        with dg.enable_grad():
            assert (x * 2).requires_grad
            with set_grad_enabled(False):
                assert not dg.is_grad_enabled()
            assert dg.is_grad_enabled()
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_restored_after_an_exception(x) -> None:
    with pytest.raises(ZeroDivisionError), dg.no_grad():
        raise ZeroDivisionError
    assert dg.is_grad_enabled()


def test_one_block_object_entered_twice(x) -> None:
    off = dg.no_grad()
    with off, dg.enable_grad(), off:
        assert not dg.is_grad_enabled()
    assert dg.is_grad_enabled()


def test_decorators(x) -> None:
    @dg.no_grad()
    def predict(x: dg.Tensor, *, scale: float) -> dg.Tensor:
        """Scale."""
        return inner(x) * scale if scale > 1 else x * scale

    @dg.enable_grad()
    def inner(x: dg.Tensor) -> dg.Tensor:
        assert (x * 2).requires_grad
        return x

    assert not predict(x, scale=2.0).requires_grad
    assert (predict.__name__, predict.__doc__) == ("predict", "Scale.")
    assert dg.is_grad_enabled()


def test_a_decorated_function_calls_itself(x) -> None:
    @dg.no_grad()
    def depth(n: int) -> int:
        assert not dg.is_grad_enabled()
        return 0 if n == 0 else 1 + depth(n - 1)

    assert depth(5) == 5
    assert dg.is_grad_enabled()


def test_threads_do_not_disturb_each_other(x) -> None:
    modes: dict[str, bool] = {}
    inside, seen = threading.Event(), threading.Event()

    def off() -> None:
        with dg.no_grad():
            inside.set()
            seen.wait(10)
            modes["off"] = dg.is_grad_enabled()

    def on() -> None:
        inside.wait(10)
        modes["on"] = dg.is_grad_enabled()
        seen.set()

    threads = [threading.Thread(target=f) for f in (off, on)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert modes == {"off": False, "on": True}
    assert dg.is_grad_enabled()


def test_a_decorated_function_in_overlapping_threads() -> None:
    barrier = threading.Barrier(2, timeout=10)
    failures: list[BaseException] = []

    @dg.no_grad()
    def meet(first: bool) -> None:
        barrier.wait()
        if not first:
            barrier.wait()  # leaves after the other one has left
        assert not dg.is_grad_enabled()

    def run(first: bool) -> None:
        try:
            meet(first)
            if first:
                barrier.wait()
            assert dg.is_grad_enabled()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(first,)) for first in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert failures == []


def test_results_under_no_grad_are_plain_leaves(x) -> None:
    with dg.no_grad():
        y = x * 2
        y += 1
        x.add_(1)
    assert y.is_leaf
    assert y.grad_fn is None
    assert x.tolist() == [2, 2]
