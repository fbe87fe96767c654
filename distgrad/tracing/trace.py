"""`Trace`: listens to a forward and a backward pass, and writes down what they compute."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import ref

import numpy as np

from distgrad.autograd.observing import observing
from distgrad.autograd.random_scope import marked_scope
from distgrad.backend import Array
from distgrad.backend.listening import listening
from distgrad.tensor import Tensor
from distgrad.tensor.quiet import quiet, started
from distgrad.tracing.flatten import flattened
from distgrad.tracing.guard import guarded
from distgrad.tracing.steps import COMPUTED, FIXED, INPUT, LIVE, Slot, Step, mapped, memory_of
from distgrad.tracing.walk import TracedPass, follow

__all__ = ["Trace"]

_LARGE = 1 << 20
"""Bytes of a result that is not computed once more to take its operation apart, which would need
more memory than an eager pass; but for those that may be the gradient of a parameter."""


class Trace:
    """What a thread computes inside of `recording`.

    Nothing is raised while it listens: the passes run as they do without, and what cannot be
    recorded is told by ``refusal``.

    Args:
        inputs: The arrays of the batch.
        live: Arrays whose memory stays, while the values in it may change between the runs.

    Attributes:
        steps: What was computed, in order.
        inputs: The slots of the batch's arrays.
        refusal: Why this cannot be recorded; None if it can.
    """

    def __init__(self, inputs: Sequence[Array], live: Iterable[Array]) -> None:
        self.steps: list[Step] = []
        self.refusal: str | None = None
        self._slots: dict[int, tuple[ref[Array], Slot]] = {}
        self._inside = 0
        self._shapes: set[tuple[int, ...]] = set()
        for array in live:
            self._enter(array, Slot(LIVE, array))
            self._shapes.add(array.shape)
        self.inputs = [Slot(INPUT, array) for array in inputs]
        for array, slot in zip(inputs, self.inputs, strict=True):
            self._enter(array, slot)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Listen to what the thread computes inside the block."""
        run = started()

        def listened(forward: Any, *args: Any, **attributes: Any) -> Any:
            self._inside += 1
            try:
                result = run(forward, *args, **attributes)
            finally:
                self._inside -= 1
            if isinstance(result, np.generic):
                result = np.asarray(result)
            self.computed(forward, args, attributes, result)
            return result

        before = listening.listener
        listening.listener, quiet.run = self, listened
        try:
            with observing(self._follow), guarded(self.unrepeatable), marked_scope():
                yield
        finally:
            listening.listener, quiet.run = before, run

    def backward(self, loss: Tensor, deliver: Callable[[Tensor, Array], None]) -> None:
        """Run the backward pass of a scalar, handing each contribution to a leaf to ``deliver``."""
        root = np.ones(loss.shape, loss.dtype)
        self.constant(root)

        def note(leaf: Tensor, gradient: Array) -> None:
            slot = self.slot_of(gradient)
            if slot is not None:
                self.steps.append(Step("deliver", leaf, (slot,)))
            deliver(leaf, gradient)

        assert loss.node is not None  # it requires a gradient
        TracedPass(self, note).run([(loss.node, root)])

    def _follow(self, node: Any) -> None:
        problem = follow(node)
        if problem:
            self.refuse(problem)

    def refuse(self, reason: str) -> None:
        """Note why this cannot be recorded; the first reason stays."""
        if self.refusal is None:
            self.refusal = reason
            self.steps.clear()

    # What is told

    def unrepeatable(self, what: str) -> None:
        """See `Listener.unrepeatable`; what an operation does is done again with it."""
        if not self._inside:
            self.refuse(what)

    def constant(self, array: Array) -> None:
        """See `Listener.constant`."""
        if self.refusal is None and isinstance(array, np.ndarray):
            self._enter(array, Slot(FIXED, array))

    def inside(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return what a gradient rule returns."""
        self._inside += 1
        try:
            result = function(*args)
        finally:
            self._inside -= 1
        if isinstance(result, np.generic):
            result = np.asarray(result)
        self.computed(function, args, {}, result)
        return result

    def computed(
        self, function: Callable[..., Any], args: tuple[Any, ...], attributes: Any, result: Any
    ) -> None:
        """See `Listener.computed`."""
        if self.refusal is not None or self._inside:
            return
        results = result if isinstance(result, tuple) else (result,)
        name = getattr(function, "__name__", repr(function))
        if not all(isinstance(part, np.ndarray) for part in results):
            self.refuse(f"{name} gives something else than arrays")
            return
        if _names_by_truth(attributes.get("index")):
            self.refuse(f"how many elements {name} names depends on truth values")
            return
        whole = Step("call", function, self._operands(args), self._operands(attributes))
        if self.refusal is not None:
            return
        found = None
        if isinstance(result, np.ndarray):
            if self._known(result) is not None:
                return  # it is one of the arguments
            if result.nbytes <= _LARGE or result.shape in self._shapes:
                self._inside += 1  # whatever it reads, it reads again
                found = flattened(function, args, attributes, self._known_slot, result)
                self._inside -= 1
        if found is not None:
            self.steps += found[0]
            self._enter(result, found[1])
            return
        self._note_whole(whole, results, args, attributes, isinstance(result, tuple))

    def _note_whole(
        self, step: Step, results: tuple[Array, ...], args: Any, attributes: Any, several: bool
    ) -> None:
        arrays: list[tuple[Slot, Array]] = []

        def look(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                arrays.append((self._known_slot(value), value))
            return value

        mapped(args, look)
        mapped(attributes, look)
        slots = tuple(Slot(COMPUTED, part, memory_of(part, arrays)) for part in results)
        step.target = slots if several else slots[0]
        self.steps.append(step)
        for part, slot in zip(results, slots, strict=True):
            self._enter(part, slot)

    # Arrays and their slots

    def slot_of(self, array: Array) -> Slot | None:
        """Return the slot of an array, None after a refusal."""
        if self.refusal is None:
            slot = self._known(array)
            if slot is not None:
                return slot
            self.refuse(
                f"an array of shape {array.shape} comes from outside: it belongs neither to the "
                "batch nor to the model, and no operation has made it"
            )
        return None

    def _known(self, array: Array) -> Slot | None:
        reference, slot = self._slots.get(id(array), (None, None))
        return slot if reference is not None and reference() is array else None

    def _known_slot(self, array: Array) -> Slot:
        slot = self._known(array)
        assert slot is not None  # its caller has looked at all operands
        return slot

    def _enter(self, array: Array, slot: Slot) -> None:
        # By a weak reference: what the passes let go of, recording them does not keep.
        self._slots[id(array)] = ref(array), slot

    def _operands(self, value: Any) -> Any:
        def slot(leaf: Any) -> Any:
            if isinstance(leaf, np.ndarray):
                return self.slot_of(leaf)
            if isinstance(leaf, Tensor):
                self.refuse("an operation is given a Tensor among its attributes")
            return leaf

        return mapped(value, slot)


def _names_by_truth(index: Any) -> bool:
    """Tell whether an index has arrays of truth values."""
    found: list[bool] = []
    mapped(index, lambda part: found.append(getattr(part, "dtype", None) == np.bool_))
    return any(found)
