"""What a recording consists of: steps, and the places of the arrays that they take and give."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distgrad.backend import Array

__all__ = ["Slot", "Step", "mapped", "perform", "slots_in"]

COMPUTED, INPUT, LIVE, FIXED = "computed", "input", "live", "fixed"


class Slot:
    """The place of an array: each run of the program has another one there.

    Attributes:
        kind: Where the array comes from: a step ("computed"), the batch ("input"), memory that
            stays while its values change, such as a parameter's ("live"), or values that stay
            ("fixed").
        array: Of live and fixed ones the array itself.
        shape: As that of the array always is; so are the data type and the strides.
        is_scalar: Whether it is a number of NumPy's, and no array.
        root: The slot whose memory it shows; itself, if it has memory of its own.
    """

    __slots__ = ("array", "dtype", "is_scalar", "kind", "root", "shape", "strides")

    def __init__(self, kind: str, value: Any, root: "Slot | None" = None) -> None:
        self.kind = kind
        self.array = value if kind in (LIVE, FIXED) else None
        self.shape: tuple[int, ...] = value.shape
        self.dtype = value.dtype
        self.strides: tuple[int, ...] = value.strides
        self.is_scalar = isinstance(value, np.generic)
        self.root: Slot = self if root is None else root.root

    @property
    def nbytes(self) -> int:
        """The size of the array."""
        return int(np.prod(self.shape, dtype=np.int64)) * int(self.dtype.itemsize)

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements lie in the order of their indices, as in a new array."""
        expected, size = [], self.dtype.itemsize
        for length in reversed(self.shape):
            expected.append(size)
            size *= max(length, 1)
        pairs = zip(self.shape, self.strides, reversed(expected), strict=True)
        return all(length == 1 or stride == wanted for length, stride, wanted in pairs)


@dataclass(slots=True, eq=False)
class Step:
    """One call.

    Attributes:
        kind: "call" of a function, of a "kernel" that may decline, "method" or "attribute" of the
            first argument, "get" the elements at an index, "set" them, or "deliver" a gradient.
        what: The function, the name, or the leaf.
        args: Slots, numbers, and tuples, lists and slices of them.
        kwargs: The same by name.
        target: Where the result goes: a slot, several of them, or None.
        changes: The slot that the step writes into, if it gives no new array.
    """

    kind: str
    what: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    target: Any = None
    changes: Slot | None = None

    def targets(self) -> tuple[Slot, ...]:
        """Return the slots that the step gives arrays to."""
        if self.target is None:
            return ()
        return self.target if isinstance(self.target, tuple) else (self.target,)

    def operands(self) -> list[Slot]:
        """Return the slots whose arrays it takes."""
        return [*slots_in(self.args), *slots_in(tuple(self.kwargs.values()))]


def perform(kind: str, what: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do what a step says with arrays in place of slots."""
    if kind in ("call", "kernel"):
        return what(*args, **kwargs)
    if kind == "method":
        return getattr(args[0], what)(*args[1:], **kwargs)
    if kind == "attribute":
        return getattr(args[0], what)
    if kind == "get":
        return args[0][args[1]]
    args[0][args[1]] = args[2]
    return None


def mapped(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """Return nested arguments with ``leaf`` of each that is no container."""
    if type(value) in (tuple, list):
        return type(value)([mapped(part, leaf) for part in value])
    if type(value) is dict:
        return {name: mapped(part, leaf) for name, part in value.items()}
    if type(value) is slice:
        return slice(leaf(value.start), leaf(value.stop), leaf(value.step))
    return leaf(value)


def slots_in(value: Any) -> Iterator[Slot]:
    """Yield the slots in nested arguments."""
    found: list[Slot] = []

    def look(leaf: Any) -> Any:
        if isinstance(leaf, Slot):
            found.append(leaf)
        return leaf

    mapped(value, look)
    yield from found


def memory_of(result: Array, operands: list[tuple[Slot, Array]]) -> Slot | None:
    """Return the slot whose memory a result shows, None if it has memory of its own."""
    if isinstance(result, np.generic) or result.base is None:
        return None
    for slot, array in operands:
        if isinstance(array, np.ndarray) and np.may_share_memory(result, array):
            return slot
    return None
