"""`FlatOptimizer`: the base of distgrad's own optimizers, with their state in flat arrays.

A step walks through the memory of parameters, gradients and state in blocks that stay in cache,
and changes it in place; see `distgrad.optim.segments`. What happens to a block is a subclass's.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from inspect import signature
from typing import Any, ClassVar, NamedTuple

import numpy as np

from distgrad.autograd import enable_grad
from distgrad.backend import array_namespace
from distgrad.flat import FlatLayout
from distgrad.optim.captured import CapturedUpdates
from distgrad.optim.optimizer import Closure, Optimizer, ParamGroup, Params
from distgrad.optim.plan import Plan, Scratch
from distgrad.optim.segments import Row, Segment, join_rows
from distgrad.tensor import Tensor

__all__ = ["FlatOptimizer", "Work"]

_IMPLEMENTATIONS = {"capturable", "differentiable", "foreach", "fused"}
"""Options of PyTorch's that say how a step is computed, and not what."""


class Work(NamedTuple):
    """A group's part of a step.

    Attributes:
        group: The group.
        active: Its parameters that have a gradient.
        ages: For each of them what tells this update from others; see `Row`.
        plan: How to walk through their memory.
    """

    group: ParamGroup
    active: list[Tensor]
    ages: list[Any]
    plan: Plan


class FlatOptimizer(Optimizer, ABC):
    """Base of the optimizers whose state is arrays shaped as the parameters, and numbers.

    A subclass says in `_arrays` what is remembered of each element, and in `_update` what a step
    does.

    Attributes:
        capture: Whether steps on a GPU are recorded as a graph, the third time that the same memory
            is updated by the same kernels, and replayed from then on; the bits are the same. Steps
            that no kernel of distgrad makes are not. Default: False.
    """

    _counts_steps: ClassVar[bool] = True
    """Whether the update needs to know how many there were: then the state has a "step"."""

    _numbers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"step": int}
    """What of the state is a number, with its type."""

    def __init_subclass__(cls) -> None:
        """Let a subclass refuse options that choose among PyTorch's implementations."""
        super().__init_subclass__()
        if "__init__" in cls.__dict__:
            cls.__init__ = _refusing(cls.__init__)  # type: ignore[method-assign]

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        super().__init__(params, defaults)
        self._plans: dict[int, Plan] = {}
        self._scratch: Scratch = {}
        self.capture = False
        self._captured = CapturedUpdates()

    @abstractmethod
    def _arrays(self, group: ParamGroup) -> dict[str, float]:
        """Return the names of the arrays kept for each parameter, with their initial value."""

    @abstractmethod
    def _update(self) -> None:
        """Update all parameters that have a gradient."""

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters by their gradients; those without one are left as they are.

        Args:
            closure: Computes the loss and its gradients anew before the update.

        Returns:
            What the closure returned, or None.

        Raises:
            ValueError: If a gradient has another shape than its parameter.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        # An overflow shows in the parameters, as it does in PyTorch, and not as a warning.
        with np.errstate(all="ignore"):
            if self.capture:
                self._captured.run(self._update)
            else:
                self._update()
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or with ``set_to_none=False`` fill them with 0."""
        super().zero_grad(set_to_none)
        if set_to_none:
            self._plans.clear()  # they would keep the memory of the dropped gradients

    def _prepared(self, place: int, group: ParamGroup) -> Work:
        """Return what is to be done for a group, with its state allocated."""
        active = [p for p in group["params"] if p.grad is not None]
        names = self._arrays(group)
        ages = [self._age(p, group, names) for p in active]
        plan = self._plans.get(place)
        if plan is None or not plan.holds(active, self.state, names, ages):
            plan = self._plans[place] = self._planned(active, names, ages)
        return Work(group, active, ages, plan)

    def _planned(
        self, active: Sequence[Tensor], names: Mapping[str, float], ages: Iterable[Any]
    ) -> Plan:
        """Allocate what state there is not yet, and plan how to walk through the memory."""
        for name, initial in names.items():
            self._allocate(name, initial, [p for p in active if name not in self.state[p]])
        rows = [
            Row(p.data, p.grad.data, tuple([self.state[p][name].data for name in names]), age)
            for p, age in zip(active, ages, strict=True)
            if p.grad is not None
        ]
        _check_shapes(rows)
        segments = self._segments([row for row in rows if row.param.size])
        return Plan(active, names, rows, segments, self._scratch)

    def _finish(self, work: Work) -> None:
        """Announce that the parameters were changed, and count the update."""
        for parameter, age in zip(work.active, work.ages, strict=True):
            parameter.bump_version()
            if self._counts_steps:
                self._record(self.state[parameter], age)

    def _segments(self, rows: Iterable[Row]) -> list[Segment]:
        """Return the segments into which the rows of a group are divided."""
        return join_rows(rows)

    def _age(self, parameter: Tensor, group: ParamGroup, names: Iterable[str]) -> Any:  # noqa: ARG002
        """Return the how-manieth update of the parameter comes next.

        Args:
            parameter: The parameter.
            group: Its group.
            names: Of the arrays that are kept.
        """
        if self._counts_steps:
            return int(self.state[parameter].get("step", 0)) + 1
        return 2 if all(name in self.state[parameter] for name in names) else 1

    def _record(self, state: dict[str, Any], age: Any) -> None:
        """Enter into the state of a parameter which update was made."""
        state["step"] = age

    def _allocate(self, name: str, initial: float, parameters: Sequence[Tensor]) -> None:
        """Give each parameter its piece of new flat arrays, one for each data type."""
        of_dtype: dict[Any, list[Tensor]] = {}
        for parameter in parameters:
            of_dtype.setdefault(parameter.dtype, []).append(parameter)
        for dtype, alike in of_dtype.items():
            layout = FlatLayout.of(((str(i), p.shape) for i, p in enumerate(alike)), dtype)
            flat = layout.empty(array_namespace(alike[0].data))
            flat.fill(initial)
            for parameter, view in zip(alike, layout.views(flat), strict=True):
                self.state[parameter][name] = Tensor(view)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over state and options that `state_dict` returned, as copies.

        Args:
            state_dict: What `state_dict` of an optimizer with groups of the same sizes returned;
                arrays may be Tensors or arrays of any library that NumPy reads.

        Raises:
            ValueError: If groups or arrays do not have the sizes of this optimizer's; nothing was
                changed.
        """
        super().load_state_dict(state_dict)
        for group in self.param_groups:
            for name, initial in self._arrays(group).items():
                holders = [p for p in group["params"] if name in self.state.get(p, ())]
                loaded = [self.state[p][name] for p in holders]
                self._allocate(name, initial, holders)
                for parameter, value in zip(holders, loaded, strict=True):
                    self.state[parameter][name].data[...] = value.data

    def _loaded(self, values: Mapping[str, Any], parameter: Tensor) -> dict[str, Any]:
        # PyTorch saves a buffer that is not there yet as None.
        present = {name: value for name, value in values.items() if value is not None}
        numbers = {
            name: kind(present.pop(name)) for name, kind in self._numbers.items() if name in present
        }
        loaded = super()._loaded(present, parameter)
        for name, value in loaded.items():
            if isinstance(value, Tensor) and value.shape != parameter.shape:
                raise ValueError(
                    f"the loaded state has {name} of shape {value.shape} for a parameter of shape "
                    f"{parameter.shape}"
                )
        return loaded | numbers

    def __getstate__(self) -> dict[str, Any]:
        # Plans and scratch are views of memory that a copy does not share.
        own = {"_plans": {}, "_scratch": {}, "_captured": CapturedUpdates()}
        return {**super().__getstate__(), **own}


def _check_shapes(rows: Iterable[Row]) -> None:
    for place, row in enumerate(rows):
        if row.grad.shape != row.param.shape:
            raise ValueError(
                f"the gradient of parameter {place} has shape {row.grad.shape}, "
                f"but the parameter has shape {row.param.shape}"
            )


def _refusing(init: Callable[..., None]) -> Callable[..., None]:
    foreign = _IMPLEMENTATIONS - set(signature(init).parameters)

    @wraps(init)
    def checked(self: Any, *args: Any, **options: Any) -> None:
        for name in sorted(foreign & options.keys()):
            raise TypeError(
                f"{type(self).__name__} has no option {name!r}: in PyTorch it chooses how a step "
                "is computed, and here there is one way, over flat memory; leave it out"
            )
        init(self, *args, **options)

    return checked
