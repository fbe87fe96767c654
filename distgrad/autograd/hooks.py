"""Hooks: functions that a tensor or a module calls on the way, in the order of registration."""

from collections import OrderedDict
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import ref

__all__ = ["Hooks", "RemovableHandle"]

T = TypeVar("T")


class Hooks(OrderedDict[int, T]):
    """Hooks in the order in which they are to be called, under numbers that never come again.

    Call those of ``tuple(hooks.values())``: a hook may remove itself, or add another.

    Example:
        >>> hooks = Hooks()
        >>> first = hooks.add("first")
        >>> second, zeroth = hooks.add("second"), hooks.add("zeroth", prepend=True)
        >>> first.remove()
        >>> list(hooks.values())
        ['zeroth', 'second']
    """

    _next_number = 0

    def add(self, hook: T, prepend: bool = False) -> "RemovableHandle":
        """Add a hook behind the others, or with ``prepend`` in front of them."""
        number = self._next_number
        self._next_number = number + 1
        self[number] = hook
        if prepend:
            self.move_to_end(number, last=False)
        return RemovableHandle(self, number)


class RemovableHandle:
    """What registering a hook returns: its `remove` takes the hook away again.

    As a context manager it does so at the end of the ``with`` block. Copied or pickled together
    with the hook's owner, the copy removes the hook of the copied owner.

    Args:
        hooks: Where the hook stands.
        number: Its number there.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.ReLU()
        >>> with layer.register_forward_hook(lambda module, args, output: output + 1):
        ...     layer(dg.zeros(1))
        tensor([1.])
        >>> layer(dg.zeros(1))
        tensor([0.])
    """

    def __init__(self, hooks: Hooks[Any], number: int) -> None:
        # A handle that is kept must not keep the owner's hooks, and what they hold, alive.
        self._hooks = ref(hooks)
        self._number = number

    def remove(self) -> None:
        """Remove the hook; nothing happens if it is removed already."""
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self._number, None)

    def __getstate__(self) -> tuple[Hooks[Any] | None, int]:
        return self._hooks(), self._number

    def __setstate__(self, state: tuple[Hooks[Any] | None, int]) -> None:
        hooks, number = state
        self.__init__(Hooks() if hooks is None else hooks, number)  # type: ignore[misc]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()
