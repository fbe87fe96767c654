"""Whether operations are recorded: nested, decorated, in threads."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

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


# Decorated functions of all kinds


def test_decorators_without_parentheses() -> None:
    @dg.no_grad
    def off() -> bool:
        return dg.is_grad_enabled()

    @dg.enable_grad
    def on() -> bool:
        return dg.is_grad_enabled()

    @dg.inference_mode
    def inference() -> tuple[bool, bool]:
        return dg.is_grad_enabled(), dg.is_inference_mode_enabled()

    assert (off(), on(), inference()) == (False, True, (False, True))
    with dg.no_grad():
        assert on()
    assert not dg.is_inference_mode_enabled()


def modes_of_requests(decorate: Any) -> list[Any]:
    """What a generator sees where it runs, and its caller where it waits."""
    seen: list[Any] = []

    @decorate
    def generator() -> Iterator[int]:
        for number in range(2):
            seen.append(("inside", dg.is_grad_enabled()))
            try:
                seen.append(("sent", (yield number), dg.is_grad_enabled()))
            except KeyError:
                seen.append(("caught", dg.is_grad_enabled()))
            finally:
                seen.append(("left", dg.is_grad_enabled()))
        return "end"

    running = generator()
    assert (next(running), dg.is_grad_enabled()) == (0, True)
    assert (running.send("hello"), dg.is_grad_enabled()) == (1, True)
    with pytest.raises(StopIteration) as stopped:
        running.throw(KeyError())
    assert stopped.value.value == "end"
    assert dg.is_grad_enabled()
    closed = generator()
    next(closed)
    closed.close()
    assert dg.is_grad_enabled()
    return seen


@pytest.mark.parametrize("block", [dg.no_grad, dg.inference_mode])
def test_a_generator_is_inside_while_it_runs(block: Any) -> None:
    inside = ("inside", False)
    assert modes_of_requests(block()) == [
        inside,
        ("sent", "hello", False),
        ("left", False),
        inside,
        ("caught", False),
        ("left", False),
        inside,
        ("left", False),
    ]
    assert modes_of_requests(block) == modes_of_requests(set_grad_enabled(False))


def test_an_exception_leaves_a_decorated_generator() -> None:
    @dg.no_grad()
    def generator() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(generator())
    assert dg.is_grad_enabled()


def test_a_coroutine_stays_inside_while_it_waits_and_others_do_not() -> None:
    seen: dict[str, list[bool]] = {"off": [], "on": []}

    @dg.no_grad()
    async def off() -> str:
        for _ in range(3):
            seen["off"].append(dg.is_grad_enabled())
            await asyncio.sleep(0)
        return "done"

    async def on() -> None:
        for _ in range(3):
            seen["on"].append(dg.is_grad_enabled())
            await asyncio.sleep(0)

    async def both() -> list[Any]:
        return await asyncio.gather(off(), on())

    assert asyncio.run(both()) == ["done", None]
    assert seen == {"off": [False] * 3, "on": [True] * 3}
    assert dg.is_grad_enabled()


def test_an_asynchronous_generator_is_inside_while_it_runs() -> None:
    seen: list[Any] = []

    @dg.no_grad
    async def generator() -> AsyncIterator[int]:
        try:
            seen.append(((yield 0), dg.is_grad_enabled()))
            yield 1
        except KeyError:
            seen.append(("caught", dg.is_grad_enabled()))
            await asyncio.sleep(0)
            yield 2
        finally:
            seen.append(("left", dg.is_grad_enabled()))

    async def use() -> None:
        running = generator()
        assert (await anext(running), dg.is_grad_enabled()) == (0, True)
        assert (await running.asend(5), dg.is_grad_enabled()) == (1, True)
        assert (await running.athrow(KeyError()), dg.is_grad_enabled()) == (2, True)
        await running.aclose()
        assert dg.is_grad_enabled()
        assert [value async for value in generator()] == [0, 1]

    asyncio.run(use())
    left = ("left", False)
    assert seen == [(5, False), ("caught", False), left, (None, False), left]


@pytest.mark.parametrize("block", [dg.no_grad(), dg.inference_mode(), dg.enable_grad()])
def test_classes_are_not_decorated(block: Any) -> None:
    with pytest.raises(
        TypeError, match=r"decorates functions, not classes, got class .*Model: dec"
    ):

        @block
        class Model:
            pass


def test_what_is_no_function_is_not_decorated() -> None:
    with pytest.raises(TypeError, match=r"no_grad\(\) decorates functions, got int"):
        dg.no_grad(5)
    with pytest.raises(TypeError, match=r"inference_mode\(\) decorates functions, got int"):
        dg.inference_mode(0)
    with pytest.raises(TypeError, match=r"set_grad_enabled\(\) takes True or False, got 1; to dec"):
        set_grad_enabled(1)


# set_grad_enabled as a function


def test_set_grad_enabled_acts_at_once() -> None:
    off = set_grad_enabled(False)
    assert not dg.is_grad_enabled()
    assert repr(off) == "set_grad_enabled(mode=False)"
    set_grad_enabled(True)
    assert dg.is_grad_enabled()


def test_set_grad_enabled_inside_a_block_ends_with_it() -> None:
    with dg.no_grad():
        set_grad_enabled(True)
        assert dg.is_grad_enabled()
        with dg.no_grad():
            assert not dg.is_grad_enabled()
        assert dg.is_grad_enabled()
        set_grad_enabled(False)
    assert dg.is_grad_enabled()


def test_set_grad_enabled_as_a_decorator_changes_the_mode_inside_only() -> None:
    @set_grad_enabled(False)
    def off() -> bool:
        return dg.is_grad_enabled()

    assert dg.is_grad_enabled()
    assert not off()
    assert dg.is_grad_enabled()


# inference_mode


def test_inference_mode(x) -> None:
    with dg.inference_mode():
        assert (dg.is_inference_mode_enabled(), dg.is_grad_enabled()) == (True, False)
        y = x * 2
        with dg.inference_mode(False):
            assert (dg.is_inference_mode_enabled(), dg.is_grad_enabled()) == (False, True)
        with dg.enable_grad():
            assert dg.is_inference_mode_enabled()
        assert dg.is_inference_mode_enabled()
    assert (dg.is_inference_mode_enabled(), dg.is_grad_enabled()) == (False, True)
    assert not y.requires_grad
    (x * y).sum().backward()  # PyTorch refuses to save such a tensor for the backward pass
    assert x.grad.tolist() == [2, 2]


# Threads and tasks


def test_new_threads_record() -> None:
    modes: list[bool] = []
    with dg.inference_mode():
        thread = threading.Thread(
            target=lambda: modes.extend([dg.is_grad_enabled(), dg.is_inference_mode_enabled()])
        )
        thread.start()
        thread.join(10)
    assert modes == [True, False]


def test_one_block_object_in_overlapping_threads() -> None:
    off = dg.no_grad()
    barrier = threading.Barrier(2, timeout=10)
    modes: dict[bool, tuple[bool, bool]] = {}

    def run(outside: bool) -> None:
        set_grad_enabled(outside)
        with off:
            barrier.wait()
            inside = dg.is_grad_enabled()
            if outside:
                barrier.wait()  # leaves after the other one has left
        if not outside:
            barrier.wait()
        modes[outside] = inside, dg.is_grad_enabled()

    threads = [threading.Thread(target=run, args=(outside,)) for outside in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert modes == {True: (False, True), False: (False, False)}


def test_tasks_begin_in_the_mode_of_their_maker_and_go_on_alone() -> None:
    async def inside() -> bool:
        seen = dg.is_grad_enabled()
        set_grad_enabled(True)
        await asyncio.sleep(0)
        return seen

    async def main() -> tuple[bool, bool]:
        with dg.no_grad():
            task = asyncio.create_task(inside())
        return await task, dg.is_grad_enabled()

    assert asyncio.run(main()) == (False, True)
