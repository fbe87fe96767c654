"""Loading a state dictionary: everything is compared first, then everything is copied."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from distgrad.backend import Array, device_name, to_device
from distgrad.backend.dtypes import is_floating
from distgrad.nn.parameter import Parameter
from distgrad.tensor import Tensor

if TYPE_CHECKING:
    from distgrad.nn.state import Stateful

__all__ = ["IncompatibleKeys", "Loading", "Place"]


class IncompatibleKeys(NamedTuple):
    """The names that a state dictionary lacked, and those that it had too many."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Place(NamedTuple):
    """Where a part of the state stands: its dotted name, its module, its name there, its value."""

    path: str
    module: Any
    name: str
    value: Tensor


class Loading:
    """One call of `Module.load_state_dict`, which has the arguments."""

    def __init__(
        self, module: "Stateful", state_dict: Mapping[str, Any], strict: bool, assign: bool
    ) -> None:
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"state_dict must be a mapping, got {type(state_dict).__name__}")
        self.module = module
        self.given = dict(state_dict)
        self.strict = strict
        self.assign = assign
        self.report = IncompatibleKeys([], [])
        self.problems: list[str] = []

    def run(self) -> IncompatibleKeys:
        """Load, and return which names were missing or unexpected."""
        self._call_pre_hooks()
        places = {place.path: place for place in self.module._places()}
        self._compare(places)
        hooked = any(m._load_state_dict_post_hooks for m in self.module.modules())
        self._refuse(self.problems if hooked else [*self._names(), *self.problems], "nothing was")
        for path, place in places.items():
            if path in self.given:
                (_assign if self.assign else _copy)(place, self.given[path])
        if hooked:
            self.module.apply(self._call_post_hooks)
            self._refuse(self._names(), "what fits was")
        return self.report

    def _compare(self, places: Mapping[str, Place]) -> None:
        missing, unexpected = self.report
        missing += [path for path in places if path not in self.given]
        unexpected += [path for path in self.given if path not in places]
        self.problems += [
            f'mismatched: "{path}" {problem}'
            for path, place in places.items()
            if path in self.given
            and (problem := _mismatch(place.value, self.given[path], self.assign))
        ]

    def _names(self) -> list[str]:
        """Say which names are missing or unexpected, where that matters."""
        kinds = zip(("missing", "unexpected"), self.report, strict=True)
        return [f"{kind}: {_quoted(names)}" for kind, names in kinds if names and self.strict]

    def _refuse(self, problems: list[str], loaded: str) -> None:
        if problems:
            raise RuntimeError(
                f"state_dict does not fit {type(self.module).__name__}; {loaded} loaded\n  "
                + "\n  ".join(problems)
            )

    def _call_pre_hooks(self) -> None:
        for path, module in self.module.named_modules(remove_duplicate=False):
            prefix = f"{path}." if path else ""
            for hook in tuple(module._load_state_dict_pre_hooks.values()):
                names = [name for name in self.given if name.startswith(prefix)]
                own = {name: self.given.pop(name) for name in names}
                hook(module, own, prefix, {}, self.strict, *self.report, self.problems)
                self.given.update(own)

    def _call_post_hooks(self, module: Any) -> None:
        for hook in tuple(module._load_state_dict_post_hooks.values()):
            if hook(module, self.report) is not None:
                raise RuntimeError(
                    "a hook of register_load_state_dict_post_hook() returns nothing: it changes "
                    "the lists that it is given"
                )


def _copy(place: Place, value: Any) -> None:
    array = place.value.data
    array[...] = to_device(_as_array(value), device_name(array))
    place.value.bump_version()


def _assign(place: Place, value: Any) -> None:
    if not isinstance(value, Tensor):
        value = Tensor(_as_array(value))
    if isinstance(place.value, Parameter):
        if not isinstance(value, Parameter):
            value = Parameter(value, place.value.requires_grad)
        value.requires_grad_(place.value.requires_grad)
    elif isinstance(value, Parameter):
        value = value.detach()  # a buffer stays one
    setattr(place.module, place.name, value)


def _mismatch(tensor: Tensor, value: Any, assign: bool) -> str | None:
    array = _as_array(value)
    if not (is_floating(array.dtype) or array.dtype.kind in "biu"):
        return f"expects numbers, got {type(value).__name__} of data type {array.dtype}"
    if array.shape != tensor.shape:
        return f"has shape {tensor.shape}, got {array.shape}"
    if assign and tensor.requires_grad and not is_floating(array.dtype):
        return f"requires a gradient, which {array.dtype} does not have"
    return None


def _as_array(value: Any) -> Array:
    if isinstance(value, Tensor):
        return value.data
    return value if isinstance(getattr(value, "dtype", None), np.dtype) else np.asarray(value)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
