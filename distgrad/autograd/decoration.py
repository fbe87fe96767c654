"""Functions, generators and coroutines that run inside a ``with`` block."""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from functools import partial, wraps
from typing import Any

__all__ = ["run_inside"]

Block = Callable[[], AbstractContextManager[Any]]
"""Makes a block: a new one for each stretch, since calls may overlap."""


def run_inside(block: Block, name: str, function: Any) -> Any:
    """Return ``function`` with all that it does inside such a block.

    A generator is inside while it runs, and outside while it waits for its next request; so is an
    async generator. A coroutine function stays inside while it waits.

    Args:
        block: Makes the block.
        name: What the block is called, in messages.
        function: A function of any kind.

    Raises:
        TypeError: If it is a class, or cannot be called.
    """
    if inspect.isclass(function):
        raise TypeError(
            f"{name} decorates functions, not classes, got class {function.__qualname__}: decorate "
            "those of its methods that are meant"
        )
    if not callable(function):
        raise TypeError(f"{name} decorates functions, got {type(function).__name__}")
    if inspect.isgeneratorfunction(function):
        return _generator(block, function)
    if inspect.isasyncgenfunction(function):
        return _async_generator(block, function)
    if inspect.iscoroutinefunction(function):
        return _coroutine(block, function)

    @wraps(function)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        with block():
            return function(*args, **kwargs)

    return decorated


def _coroutine(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def decorated(*args: Any, **kwargs: Any) -> Any:
        with block():
            return await function(*args, **kwargs)

    return decorated


def _generator(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def decorated(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **kwargs)
        resume = partial(generator.send, None)
        while True:
            try:
                with block():
                    value = resume()
            except StopIteration as end:
                return end.value
            try:
                resume = partial(generator.send, (yield value))
            except GeneratorExit:
                with block():
                    generator.close()
                raise
            except BaseException as error:
                resume = partial(generator.throw, error)

    return decorated


def _async_generator(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def decorated(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        generator = function(*args, **kwargs)
        resume = partial(generator.asend, None)
        while True:
            try:
                with block():
                    value = await resume()
            except StopAsyncIteration:
                return
            try:
                resume = partial(generator.asend, (yield value))
            except GeneratorExit:
                with block():
                    await generator.aclose()
                raise
            except BaseException as error:
                resume = partial(generator.athrow, error)

    return decorated
