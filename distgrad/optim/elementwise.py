"""`ElementwiseOptimizer`: the step of every optimizer that treats each element by itself.

State is allocated flat, and the update runs in place over blocks of joined parameters; see
`distgrad.optim.segments`. Since no element looks at another, the result has the same bits however
the parameters lie and are joined.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import is_
from typing import Any, ClassVar, TypeAlias

import numpy as np

from distgrad.autograd import enable_grad
from distgrad.backend import Array, Namespace, array_namespace
from distgrad.flat import FlatLayout
from distgrad.optim.optimizer import Closure, Optimizer, ParamGroup, Params
from distgrad.optim.segments import BLOCK, Row, join_rows
from distgrad.tensor import Tensor

__all__ = ["ElementwiseOptimizer", "Kernel", "descent_direction"]

Kernel: TypeAlias = Callable[..., None]
"""``kernel(xp, scratch, product, param, grad, *state)`` updates one block in place.

``scratch`` and ``product`` are two arrays of the block's length, to be overwritten.
"""


class ElementwiseOptimizer(Optimizer, ABC):
    """Base of the optimizers whose update of an element depends on that element alone.

    A subclass says in `_arrays` what it remembers of each element and in `_kernel` how a block is
    updated.
    """

    _counts_steps: ClassVar[bool] = True
    """Whether the update needs to know how many there were: then the state has a "step"."""

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        super().__init__(params, defaults)
        self._plans: dict[int, _Plan] = {}
        self._scratch: dict[Any, tuple[Array, Array]] = {}

    @abstractmethod
    def _arrays(self, group: ParamGroup) -> dict[str, float]:
        """Return the names of the arrays kept for each parameter, with their initial value."""

    @abstractmethod
    def _kernel(self, group: ParamGroup, age: int) -> Kernel:
        """Return the update of parameters that are updated for the ``age``-th time.

        Where steps are not counted, 2 stands for all times but the first.
        """

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
            for place, group in enumerate(self.param_groups):
                self._step_group(place, group)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or with ``set_to_none=False`` fill them with 0."""
        super().zero_grad(set_to_none)
        if set_to_none:
            self._plans.clear()  # they would keep the memory of the dropped gradients

    def _step_group(self, place: int, group: ParamGroup) -> None:
        active = [p for p in group["params"] if p.grad is not None]
        names = self._arrays(group)
        ages = [self._age(p, names) for p in active]
        for name, initial in names.items():
            self._allocate(name, initial, [p for p in active if name not in self.state[p]])
        rows = [
            Row(p.data, p.grad.data, tuple([self.state[p][name].data for name in names]), age)
            for p, age in zip(active, ages, strict=True)
            if p.data.size
        ]
        plan = self._plans.get(place)
        if plan is None or not plan.holds(rows):
            plan = self._plans[place] = _Plan(rows, self._scratch)
        plan.run(rows, lambda age: self._kernel(group, age))
        for parameter, age in zip(active, ages, strict=True):
            parameter.bump_version()
            if self._counts_steps:
                self.state[parameter]["step"] = age

    def _age(self, parameter: Tensor, names: Iterable[str]) -> int:
        """Return the how-manieth update of the parameter comes next."""
        if self._counts_steps:
            return int(self.state[parameter].get("step", 0)) + 1
        return 2 if all(name in self.state[parameter] for name in names) else 1

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
        loaded = super()._loaded(values, parameter)
        for name, value in loaded.items():
            if name == "step":
                loaded[name] = int(value)
            elif isinstance(value, Tensor) and value.shape != parameter.shape:
                raise ValueError(
                    f"the loaded state has {name} of shape {value.shape} for a parameter of shape "
                    f"{parameter.shape}"
                )
        # PyTorch saves a buffer that is not there yet as None.
        return {name: value for name, value in loaded.items() if value is not None}

    def __getstate__(self) -> dict[str, Any]:
        # Plans and scratch are views of memory that a copy does not share.
        return {**self.__dict__, "_plans": {}, "_scratch": {}}


class _Plan:
    """The joined segments of one group, kept as long as all arrays stay the same objects."""

    def __init__(self, rows: Sequence[Row], scratch: dict[Any, tuple[Array, Array]]) -> None:
        for place, row in enumerate(rows):
            if row.grad.shape != row.param.shape:
                raise ValueError(
                    f"the gradient of parameter {place} has shape {row.grad.shape}, "
                    f"but the parameter has shape {row.param.shape}"
                )
        self._arrays = [array for row in rows for array in row.arrays]
        self._ages = _relative_ages(rows)
        self._segments = join_rows(rows)
        self._blocks = [
            [(*_scratch_for(block[0], scratch), *block) for block in segment.blocks]
            for segment in self._segments
        ]

    def holds(self, rows: Sequence[Row]) -> bool:
        """Tell whether the plan was made of the same arrays, joined as their ages still allow."""
        arrays = [array for row in rows for array in row.arrays]
        return (
            len(arrays) == len(self._arrays)
            and all(map(is_, arrays, self._arrays))
            and _relative_ages(rows) == self._ages
        )

    def run(self, rows: Sequence[Row], kernel_of: Callable[[int], Kernel]) -> None:
        """Update all blocks; ``kernel_of`` gives the kernel of an age."""
        first = 0
        for segment, blocks in zip(self._segments, self._blocks, strict=True):
            kernel = kernel_of(rows[first].age)
            segment.load()
            for block in blocks:
                kernel(*block)
            segment.store()
            first += segment.rows


def _relative_ages(rows: Sequence[Row]) -> list[int]:
    """Return ages that stay the same while all rows grow older together."""
    return [row.age - rows[0].age for row in rows]


def _scratch_for(
    block: Array, scratch: dict[Any, tuple[Array, Array]]
) -> tuple[Namespace, Array, Array]:
    """Return the array module and two arrays like ``block``, which all blocks share."""
    xp = array_namespace(block)
    key = xp, block.dtype
    if key not in scratch:
        scratch[key] = xp.empty(BLOCK, block.dtype), xp.empty(BLOCK, block.dtype)
    first, second = scratch[key]
    return xp, first[: block.size], second[: block.size]


def descent_direction(
    xp: Namespace, scratch: Array, param: Array, grad: Array, *, weight_decay: float, maximize: bool
) -> Array:
    """Return the gradient of what is minimised: with the penalty's, or turned round to maximise.

    It is the gradient itself where nothing is to be done to it, else it stands in ``scratch``.
    """
    if weight_decay:
        xp.multiply(param, weight_decay, out=scratch)
        change = xp.subtract if maximize else xp.add
        return change(scratch, grad, out=scratch)
    return xp.negative(grad, out=scratch) if maximize else grad
