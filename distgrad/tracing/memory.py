"""Where the arrays of a program lie.

Small ones have memory of their own that every run writes to: to make a small array takes as long as
to fill it, and of what stays in its place, views need be made once only. Large ones are made and
let go of as in an eager pass, so that a program needs no more memory than that.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distgrad.backend import Array
from distgrad.backend.dtypes import DType
from distgrad.tracing.simplify import SMALL
from distgrad.tracing.steps import COMPUTED, FIXED, LIVE, Slot, Step, mapped, perform, slots_in

__all__ = ["Plan", "planned"]


_ALTOGETHER = 1 << 21
_VIEWS = {"T", "reshape", "transpose", "view", "swapaxes", "squeeze", "ravel"}
_VIEWING = {
    np.broadcast_to,
    np.expand_dims,
    np.moveaxis,
    np.reshape,
    np.squeeze,
    np.swapaxes,
    np.transpose,
}


@dataclass
class Plan:
    """What a run does, and where it finds the arrays.

    Attributes:
        steps: What is done, in order.
        arrays: The arrays of the slots that are the same in each run.
        outs: For each step that writes its result to an array that is there already, where: an
            array, a slot, or the number of a leaf.
        ends: For each step, the slots that nothing uses behind it.
    """

    steps: list[Step] = field(default_factory=list)
    arrays: dict[Slot, Array] = field(default_factory=dict)
    outs: dict[Step, Any] = field(default_factory=dict)
    ends: dict[Step, list[Slot]] = field(default_factory=dict)


def planned(
    steps: list[Step], kept: list[Slot], leaves: dict[Any, int] | None, dtype: DType
) -> Plan:
    """Return where the arrays of some steps shall lie.

    Args:
        steps: The steps.
        kept: Slots that are used behind the last of them.
        leaves: The numbers of the leaves whose gradients are written to given arrays; None if they
            are handed to a function.
        dtype: The data type of those arrays.
    """
    plan = Plan()
    uses = _uses(steps, kept)
    direct = {} if leaves is None else _direct(steps, uses, leaves, dtype)
    total = 0
    for step in steps:
        for slot in step.operands():
            if slot.kind in (LIVE, FIXED):
                plan.arrays[slot] = slot.array
        if _is_hoisted(step, plan):
            continue
        plan.steps.append(step)
        if step in direct:
            plan.outs[step] = direct[step]
        elif is_fresh(step) and step.target.nbytes <= SMALL and total < _ALTOGETHER:
            total += step.target.nbytes
            array = np.empty(step.target.shape, step.target.dtype)
            plan.arrays[step.target] = plan.outs[step] = array
    # Where a function takes the gradients, it keeps the arrays.
    delivers = [] if leaves is not None else [step for step in steps if step.kind == "deliver"]
    held = [slot for step in delivers for slot in step.operands()]
    _end(plan, kept, held)
    return plan


def is_fresh(step: Step) -> bool:
    """Tell whether a step fills a new contiguous array, and could fill a given one as well."""
    if step.changes or not isinstance(step.target, Slot) or not step.target.is_contiguous:
        return False
    if step.kind == "method" and step.what in ("astype", "copy"):
        return len(step.args) == (2 if step.what == "astype" else 1) and not step.kwargs
    if step.kind == "method" and step.what == "dot":
        return all(isinstance(part, Slot) and len(part.shape) == 2 for part in step.args)
    if step.kind == "call" and isinstance(step.what, np.ufunc):
        return not step.kwargs
    if step.kind == "kernel":
        return not step.kwargs and _takes_place(step.what)
    return step.kind == "call" and is_reduction(step.what)


def _takes_place(function: Any) -> bool:
    """Tell whether a kernel has, as its last parameter, a place for its result."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_varnames[: code.co_argcount][-1:] == ("into",)


def is_reduction(function: Any) -> bool:
    """Tell whether a function is ``reduce`` of a ufunc."""
    owner = getattr(function, "__self__", None)
    return isinstance(owner, np.ufunc) and function.__name__ == "reduce"


def _is_hoisted(step: Step, plan: Plan) -> bool:
    """Make a view of an array that stays in its place; tell whether the step was that."""
    target = step.target
    if not isinstance(target, Slot) or not all(slot in plan.arrays for slot in step.operands()):
        return False
    if step.what is np.asarray:  # of a number, which has become an array of one
        plan.arrays[target] = plan.arrays[step.args[0]]
        return True
    is_view = (
        step.kind == "attribute"
        or (step.kind == "method" and step.what in _VIEWS)
        or (step.kind == "get" and not any(slots_in(step.args[1])))
        or (step.kind == "call" and step.what in _VIEWING)
    )
    if not is_view or target.root is target:
        return False

    def array(leaf: Any) -> Any:
        return plan.arrays[leaf] if isinstance(leaf, Slot) else leaf

    view = perform(step.kind, step.what, mapped(step.args, array), mapped(step.kwargs, array))
    if view.strides != target.strides or not np.may_share_memory(view, array(step.args[0])):
        return False
    plan.arrays[target] = view
    return True


def _uses(steps: list[Step], kept: list[Slot]) -> dict[Slot, int]:
    """Return how often each piece of memory is used, by its root."""
    uses: dict[Slot, int] = {}
    for slot in [*kept, *(slot for step in steps for slot in step.operands())]:
        uses[slot.root] = uses.get(slot.root, 0) + 1
    return uses


def _direct(
    steps: list[Step], uses: dict[Slot, int], leaves: dict[Any, int], dtype: DType
) -> dict[Step, int]:
    """Return the steps that can write their results where the gradient of a leaf belongs."""
    makers = {step.target: step for step in steps if is_fresh(step)}
    direct: dict[Step, int] = {}
    met = set()
    for step in steps:
        if step.kind != "deliver" or step.what in met:
            continue
        met.add(step.what)
        (slot,) = step.args
        fits = slot.dtype == dtype and slot.shape == step.what.shape
        if fits and slot in makers and uses[slot.root] == 1:
            direct[makers[slot]] = leaves[step.what]
    return direct


def _end(plan: Plan, kept: list[Slot], held: list[Slot]) -> None:
    """Find out where large arrays are used last, and which results can take their places."""
    last: dict[Slot, Step] = {}
    shown: dict[Slot, list[Slot]] = {}
    makers: dict[Slot, Step] = {}
    for step in plan.steps:
        last.update((slot.root, step) for slot in (*step.operands(), *step.targets()))
        for slot in step.targets():
            shown.setdefault(slot.root, []).append(slot)
            makers[slot] = step
    stays = {slot.root for slot in kept} | plan.arrays.keys()
    not_taken = {slot.root for slot in held}
    for root, step in last.items():
        if root.kind != COMPUTED or root in stays or root.nbytes <= SMALL:
            continue
        if isinstance(plan.outs.get(makers[root]), int):
            continue  # it lies where the gradient of a leaf belongs
        is_free = root not in not_taken and is_fresh(makers[root])
        if is_free and _can_take_place(step, root, plan):
            plan.outs[step] = root
        elif root not in step.targets():
            plan.ends.setdefault(step, []).extend(shown[root])


def _can_take_place(step: Step, root: Slot, plan: Plan) -> bool:
    """Tell whether a step can write its result over an argument that is not used again."""
    return (
        step not in plan.outs
        and isinstance(step.what, np.ufunc)
        and step.what.signature is None
        and is_fresh(step)
        and root in step.args
        and (root.shape, root.dtype) == (step.target.shape, step.target.dtype)
    )
