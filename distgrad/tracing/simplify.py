"""Leaving out what need not be done, and numbers in the form that costs least."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from distgrad.tracing.steps import FIXED, Slot, Step, mapped

__all__ = ["SMALL", "simplified"]

SMALL = 1 << 15
"""Bytes of an array that may stay in memory between its uses."""


def simplified(steps: list[Step], kept: Iterable[Slot]) -> tuple[list[Step], list[Slot]]:
    """Return the steps that what is kept or delivered depends on.

    Products with 1 are left out, and small results that are there already.

    Returns:
        The steps, and the slots in which what is kept is now.
    """
    same: dict[Slot, Slot] = {}
    changed = {step.changes.root for step in steps if step.changes}
    known: dict[Any, Slot] = {}

    def current(leaf: Any) -> Any:
        return same.get(leaf, leaf) if isinstance(leaf, Slot) else leaf

    result = []
    for old in steps:
        args, kwargs = mapped(old.args, current), mapped(old.kwargs, current)
        step = Step(old.kind, old.what, args, kwargs, old.target, old.changes)
        for slot in step.targets():
            slot.root = current(slot.root).root
        stays = changed.isdisjoint(slot.root for slot in step.targets())
        instead = _factor(step) if stays else None
        if instead is not None and instead.root in changed:
            instead = None
        elif instead is None and stays and _is_small_call(step):
            instead = known.setdefault(
                (step.what, args, _bits(args), _form(step.target)), step.target
            )
        if step.changes:
            known = {key: slot for key, slot in known.items() if not _takes(key, step.changes)}
        if instead is None or instead is step.target:
            step.args = _with_arrays(step)
            result.append(step)
        else:
            same[step.target] = instead
    found = [current(slot) for slot in kept]
    return _needed(result, found), found


def _needed(steps: list[Step], kept: Iterable[Slot]) -> list[Step]:
    needed = {slot.root for slot in kept}
    result = []
    for step in reversed(steps):
        gives = [step.changes] if step.changes else step.targets()
        if step.kind == "deliver" or not needed.isdisjoint(slot.root for slot in gives):
            needed.update(slot.root for slot in step.operands())
            result.append(step)
    return result[::-1]


def _takes(key: Any, changed: Slot) -> bool:
    """Tell whether a call takes an array that is changed."""
    _, args, *_ = key
    return any(isinstance(part, Slot) and part.root is changed.root for part in args)


def _is_small_call(step: Step) -> bool:
    """Tell whether a step is a call of a ufunc that gives a small array."""
    is_call = isinstance(step.what, np.ufunc) and not step.kwargs and not step.changes
    return is_call and step.target.nbytes <= SMALL


def _factor(step: Step) -> Slot | None:
    """Return the other factor, where a step multiplies with 1 and so changes nothing."""
    if step.what is not np.multiply or step.changes or step.kwargs or len(step.args) != 2:
        return None
    for one, other in (step.args, step.args[::-1]):
        if not isinstance(one, Slot) or not isinstance(other, Slot) or one.kind != FIXED:
            continue
        is_one = one.shape == () and bool(one.array == 1)
        if is_one and _form(other) == _form(step.target):
            return other
    return None


def _bits(args: tuple[Any, ...]) -> Any:
    """Return what tells numbers from others that they equal: -0.0 from 0.0, 1.0 from 1."""
    return mapped(args, lambda part: None if isinstance(part, Slot) else repr(part))


def _form(slot: Slot) -> Any:
    return slot.shape, slot.dtype, slot.strides


def _with_arrays(step: Step) -> tuple[Any, ...]:
    """Return the arguments with arrays for numbers beside arrays of floats.

    NumPy takes longer over a number of Python: it has to find out what type it is to have.
    """
    if not isinstance(step.what, np.ufunc) or step.kwargs:
        return step.args
    kinds = {part.dtype for part in step.args if isinstance(part, Slot)}
    if len(kinds) != 1 or (dtype := kinds.pop()).kind != "f":
        return step.args

    def number(part: Any) -> Any:
        return Slot(FIXED, np.array(part, dtype)) if type(part) in (int, float) else part

    return tuple(number(part) for part in step.args)
