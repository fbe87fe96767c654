"""The random scope: what the next random draw is keyed by.

Every draw inside the scope is named by (seed, step, micro-batch, call): the n-th call of a
micro-batch gives the same bits on whichever rank, and however often, the micro-batch runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from distgrad.backend import Stream, philox

__all__ = ["manual_seed", "next_generator", "random_scope", "random_state"]


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


@contextmanager
def random_scope(seed: int, step: int = 0, micro_batch: int = 0) -> Iterator[None]:
    """Key the draws inside the block by (seed, step, micro-batch, number of the call).

    The step counts from 1 in training, so that draws outside any step, such as the initialisation
    of a model, have words of their own.
    """
    token = _scope.set(_Scope(seed, step, micro_batch))
    try:
        yield
    finally:
        _scope.reset(token)


class RandomState:
    """Where the draws of a context stood."""

    def __init__(self, scope: _Scope) -> None:
        self._scope = scope.copy()

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Draw the same inside the block as was drawn behind this place."""
        token = _scope.set(self._scope.copy())
        try:
            yield
        finally:
            _scope.reset(token)


def random_state() -> RandomState:
    """Return where the draws of the current context stand."""
    return RandomState(_current())


def next_generator() -> np.random.Generator:
    """Return the generator of the next draw in the current scope."""
    scope = _current()
    generator = philox(scope.seed, Stream.MODEL, scope.step, scope.micro_batch, scope.calls)
    scope.calls += 1
    return generator
