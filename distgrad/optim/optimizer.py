"""`Optimizer`: parameter groups with their options, state per parameter, and saving of both."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from distgrad.autograd.hooks import Hooks, RemovableHandle
from distgrad.backend import array_namespace, device_name, to_device
from distgrad.optim.checks import check_params, plain_rate, split_names
from distgrad.optim.step_hooks import StepPostHook, StepPreHook, with_hooks
from distgrad.tensor import Tensor

__all__ = ["Closure", "Optimizer", "ParamGroup", "Params"]

ParamGroup: TypeAlias = dict[str, Any]
"""The parameters of a group under "params", and the group's options."""

Params: TypeAlias = Iterable[Tensor] | Iterable[ParamGroup] | Iterable[tuple[str, Tensor]]

Closure: TypeAlias = Callable[[], Any]
"""A function that computes the loss anew, with its gradients, and returns it."""


class Optimizer:
    """Base class of all optimizers; subclasses define `step`.

    Args:
        params: Tensors; or (name, Tensor) pairs; or dicts with "params" and options of their own.
        defaults: The options of groups that do not give them. A learning rate that is a Tensor of
            one element counts as its value.

    Attributes:
        param_groups: One dict per group: "params" and the options, which may be changed.
        state: For each parameter a dict of what the optimizer remembers of it.
        defaults: The default options.

    Raises:
        TypeError: If ``params`` is one Tensor or a set, or holds something else than Tensors.
        ValueError: If it is empty, or a parameter occurs twice or is not a leaf.

    Example:
        >>> import distgrad as dg
        >>> weight, bias = dg.nn.Linear(2, 1).parameters()
        >>> optimizer = dg.optim.SGD([{"params": [weight], "weight_decay": 0.1},
        ...                           {"params": [bias]}], lr=0.5)
        >>> [group["weight_decay"] for group in optimizer.param_groups]
        [0.1, 0.0]
    """

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params given to the optimizer must be an iterable of Tensors or dicts, "
                f"but got one {type(params).__name__}; put it into a list"
            )
        self.defaults = _with_plain_rate(defaults)
        self._step_pre_hooks: Hooks[StepPreHook] = Hooks()
        self._step_post_hooks: Hooks[StepPostHook] = Hooks()
        self._in_hooked_step = False
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[ParamGroup] = []
        groups: Any = params if isinstance(params, set) else list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if isinstance(groups, set) or not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls) -> None:
        """Let hooks be called around the steps that a subclass defines."""
        super().__init_subclass__()
        if "step" in cls.__dict__:
            cls.step = with_hooks(cls.step)  # type: ignore[method-assign]

    def add_param_group(self, param_group: ParamGroup) -> None:
        """Add a group of parameters, with its own options or the defaults.

        Args:
            param_group: "params", one Tensor or an ordered collection of Tensors or of
                (name, Tensor) pairs; and options.

        Raises:
            TypeError: If the group is not a dict, or "params" is a set or holds something else.
            ValueError: If a parameter occurs twice or is not a leaf, or only some have names.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group).__name__}")
        group = {**self.defaults, **param_group, **split_names(param_group["params"])}
        group = _with_plain_rate(group)
        check_params(group["params"])
        if self.param_groups and ("param_names" in group) != (
            "param_names" in self.param_groups[0]
        ):
            raise ValueError("all parameter groups must have names, or none of them")
        known = set(chain.from_iterable(g["params"] for g in self.param_groups))
        if not known.isdisjoint(group["params"]):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or with ``set_to_none=False`` fill them with 0."""
        for parameter in chain.from_iterable(group["params"] for group in self.param_groups):
            if parameter.grad is not None and not set_to_none:
                parameter.grad = parameter.grad.detach().zero_()
            else:
                parameter.grad = None

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters by their gradients; those without one are left as they are.

        Args:
            closure: Computes the loss and its gradients anew before the update.

        Returns:
            What the closure returned, or None.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define step()")

    def register_step_pre_hook(self, hook: StepPreHook) -> RemovableHandle:
        """Let ``hook(optimizer, args, kwargs)`` be called before each step.

        It returns None, or a pair with which the step is called in place of these arguments.
        Copies of the optimizer have no hooks, as in PyTorch.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        return self._step_pre_hooks.add(hook)

    def register_step_post_hook(self, hook: StepPostHook) -> RemovableHandle:
        """Let ``hook(optimizer, args, kwargs)`` be called after each step.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Example:
            >>> import distgrad as dg
            >>> optimizer = dg.optim.SGD(dg.nn.Linear(2, 1).parameters())
            >>> handle = optimizer.register_step_post_hook(lambda *_: print("stepped"))
            >>> optimizer.step()
            stepped
            >>> handle.remove()
            >>> optimizer.step()
        """
        return self._step_post_hooks.add(hook)

    def state_dict(self) -> dict[str, Any]:
        """Return the state and the options, with parameters numbered across the groups in order.

        Returns:
            ``{"state": {number: {...}}, "param_groups": [{"params": [number, ...], ...}]}``. The
            state is the optimizer's own, not a copy.

        Example:
            >>> import distgrad as dg
            >>> optimizer = dg.optim.SGD(dg.nn.Linear(2, 1).parameters(), lr=0.1)
            >>> optimizer.state_dict()["param_groups"][0]["params"]
            [0, 1]
        """
        parameters = list(chain.from_iterable(group["params"] for group in self.param_groups))
        numbers = {parameter: number for number, parameter in enumerate(parameters)}
        return {
            "state": {numbers[p]: self.state[p] for p in parameters if p in self.state},
            "param_groups": [
                {**group, "params": [numbers[p] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over state and options that `state_dict` returned, as copies.

        Arrays are converted to the data type of their parameter. Parameters are matched by their
        place in the groups.

        Args:
            state_dict: What `state_dict` of an optimizer with groups of the same sizes returned;
                arrays may be Tensors or arrays of any library that NumPy reads.

        Raises:
            ValueError: If the groups differ in number or size, or there is a state of a parameter
                that they do not have; nothing was changed.
        """
        saved_groups = deepcopy(list(state_dict["param_groups"]))
        self._check_groups(saved_groups)
        saved = chain.from_iterable(group["params"] for group in saved_groups)
        parameters = chain.from_iterable(group["params"] for group in self.param_groups)
        by_number = dict(zip(saved, parameters, strict=True))
        state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        for number, values in state_dict["state"].items():
            if number not in by_number:
                raise ValueError(
                    f"the loaded state has one of parameter {number!r}, but its groups have the "
                    f"parameters {list(by_number)}"
                )
            parameter = by_number[number]
            state[parameter] = self._loaded(values, parameter)
        self.state = state
        for group, saved_group in zip(self.param_groups, saved_groups, strict=True):
            options = {k: v for k, v in saved_group.items() if k != "params"}
            group.update(_with_plain_rate(options))

    def _loaded(self, values: Mapping[str, Any], parameter: Tensor) -> dict[str, Any]:
        """Return a copy of what was saved of one parameter."""
        return {name: _copied(value, parameter) for name, value in values.items()}

    def _check_groups(self, saved_groups: list[ParamGroup]) -> None:
        own, saved = (
            [len(group["params"]) for group in groups]
            for groups in (self.param_groups, saved_groups)
        )
        if own != saved:
            raise ValueError(
                f"the loaded state has parameter groups of {saved} parameters, "
                f"but the optimizer has groups of {own}"
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_step_pre_hooks": Hooks(), "_step_post_hooks": Hooks()}

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for place, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {place}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def _with_plain_rate(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "lr": plain_rate(options["lr"])} if "lr" in options else options


def _copied(value: Any, parameter: Tensor) -> Any:
    """Return a copy of a value of the state; an array of any library becomes a Tensor."""
    if isinstance(value, Tensor):
        value = value.data
    if not hasattr(value, "__array__") and not hasattr(value, "__cuda_array_interface__"):
        return deepcopy(value)
    xp = array_namespace(parameter.data)
    array = value if isinstance(getattr(value, "dtype", None), np.dtype) else np.asarray(value)
    return Tensor(xp.array(to_device(array, device_name(parameter.data)), parameter.dtype))
