"""The random scope: what the next random draw is keyed by.

Every draw inside the scope is named by (seed, step, micro-batch, call): the n-th call of a
micro-batch gives the same bits on whichever rank, and however often, the micro-batch runs.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar, Token

import numpy as np

from distgrad.backend import Stream, philox
from distgrad.backend.listening import unrepeatable

__all__ = [
    "MicroBatchWord",
    "SeedWord",
    "StepWord",
    "draws_made",
    "manual_seed",
    "marked_scope",
    "next_draw",
    "next_generator",
    "random_scope",
    "random_state",
    "set_draws_made",
]


class SeedWord(int):
    """The seed of a scope, told from other numbers: another run has another one there."""


class StepWord(int):
    """The step of a scope, told from other numbers."""


class MicroBatchWord(int):
    """The micro-batch of a scope, told from other numbers."""


class _Scope:
    __slots__ = ("calls", "micro_batch", "seed", "step")

    def __init__(self, seed: int, step: int = 0, micro_batch: int = 0) -> None:
        self.seed = seed
        self.step = step
        self.micro_batch = micro_batch
        self.calls = 0

    def copy(self) -> "_Scope":
        copied = _Scope(self.seed, self.step, self.micro_batch)
        copied.calls = self.calls
        return copied


_scope: ContextVar[_Scope | None] = ContextVar("distgrad_random_scope", default=None)


def _current() -> _Scope:
    scope = _scope.get()
    if scope is None:
        scope = _Scope(0)
        _scope.set(scope)
    return scope


def manual_seed(seed: int) -> None:
    """Start the draws of the current context anew from ``seed``, from 0 to 2**64 - 1.

    Without a call of it the seed is 0, in every new thread again: seed each of them.

    Example:
        >>> import distgrad as dg
        >>> dg.manual_seed(7)
        >>> a = dg.rand(3)
        >>> dg.manual_seed(7)
        >>> bool((a == dg.rand(3)).all())
        True
    """
    philox(seed, Stream.MODEL)  # refuses a seed that does not fit, here and not at the first draw
    _scope.set(_Scope(seed))


class _Entered:
    """Makes a scope the current one inside the block; every micro-batch enters some."""

    __slots__ = ("_scope", "_token")

    def __init__(self, scope: _Scope) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        self._token: Token[_Scope | None] = _scope.set(self._scope)

    def __exit__(self, *_: object) -> None:
        _scope.reset(self._token)


def random_scope(seed: int, step: int = 0, micro_batch: int = 0) -> AbstractContextManager[None]:
    """Key the draws inside the block by (seed, step, micro-batch, number of the call).

    The step counts from 1 in training, so that draws outside any step, such as the initialisation
    of a model, have words of their own.
    """
    return _Entered(_Scope(seed, step, micro_batch))


class RandomState:
    """Where the draws of a context stood."""

    def __init__(self, scope: _Scope) -> None:
        self._scope = scope.copy()

    def restored(self) -> AbstractContextManager[None]:
        """Draw the same inside the block as was drawn behind this place."""
        return _Entered(self._scope.copy())


def random_state() -> RandomState:
    """Return where the draws of the current context stand."""
    return RandomState(_current())


@contextmanager
def marked_scope() -> Iterator[None]:
    """Let the words of draws inside the block tell what they are, by their types."""
    scope = _current()
    marked = _Scope(SeedWord(scope.seed), StepWord(scope.step), MicroBatchWord(scope.micro_batch))
    marked.calls = scope.calls
    with _Entered(marked):
        yield
    scope.calls = marked.calls


def draws_made() -> int:
    """Return how many draws the current scope has named."""
    return _current().calls


def set_draws_made(calls: int) -> None:
    """Let the next draw of the current scope be named as if so many had been before it."""
    _current().calls = calls


def next_draw() -> tuple[int, Stream, tuple[int, int, int]]:
    """Return what names the next draw in the current scope: seed, stream and counter words."""
    scope = _current()
    words = scope.step, scope.micro_batch, scope.calls
    scope.calls += 1
    return scope.seed, Stream.MODEL, words


def next_generator() -> np.random.Generator:
    """Return the generator of the next draw in the current scope."""
    unrepeatable("random numbers are drawn, and not by dropout")
    seed, stream, words = next_draw()
    return philox(seed, stream, *words)
