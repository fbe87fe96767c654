"""The state of training as a checkpoint, and training that goes on from one."""

from collections.abc import Mapping
from typing import Any

from distgrad.backend import Array, array_namespace, device_name, to_device, to_host
from distgrad.errors import UsageError
from distgrad.nn import Module
from distgrad.training.checkpoint import Checkpoint
from distgrad.training.packing import pack, unpack
from distgrad.training.progress import Progress

__all__ = ["capture", "check_layout", "pack_states", "restore"]

LAYOUT = 2
"""The version of what a checkpoint has in its state, and of what its arrays are."""


def capture(
    modules: Mapping[str, Module],
    stateful: Mapping[str, Any],
    progress: Progress,
    data: Mapping[str, Any],
) -> Checkpoint:
    """Return all that training goes on from; arrays on the host are not copied.

    Args:
        modules: The model and, if there is one, its average, by name.
        stateful: What has a state of its own beside them, by name.
        progress: Where the run stands.
        data: What tells the samples from others.

    Raises:
        TypeError: If something in a state cannot be saved.
    """
    states, arrays = pack_states(stateful)
    state = {"layout": LAYOUT, "progress": progress.as_state(), "data": data, "states": states}
    of_modules = {
        name: {key: to_host(array) for key, array in _model_arrays(module).items()}
        for name, module in modules.items()
    }
    return Checkpoint(progress.steps, {**of_modules, "optimizer": arrays}, state)


def restore(
    checkpoint: Checkpoint, modules: Mapping[str, Module], stateful: Mapping[str, Any]
) -> Progress:
    """Give modules and the rest the states that `capture` found; return where the run stands.

    Raises:
        UsageError: If they do not fit.
    """
    check_layout(checkpoint.state)
    for name, module in modules.items():
        _check_module(name, module, checkpoint.arrays)
    for name, module in modules.items():
        _restore_module(module, checkpoint.arrays[name])
    _restore_states(stateful, checkpoint.state["states"], checkpoint.arrays["optimizer"])
    return Progress.from_state(checkpoint.state["progress"])


def check_layout(state: Mapping[str, Any]) -> None:
    """Refuse a checkpoint that cannot be understood here.

    Raises:
        UsageError: If it has another layout.
    """
    if state.get("layout") != LAYOUT:
        raise UsageError(
            f"the checkpoint has layout {state.get('layout')}, and this version of distgrad knows "
            f"layout {LAYOUT}; go on with the version that has written it, or begin another run "
            "with --run-dir"
        )


def _model_arrays(module: Module) -> dict[str, Array]:
    """Return all parameters and buffers by name, those too that its state_dict leaves out."""
    named = [*module.named_parameters(), *module.named_buffers()]
    return {name: tensor.data for name, tensor in named}


def _check_module(what: str, module: Module, groups: Mapping[str, Mapping[str, Array]]) -> None:
    """Refuse parameters and buffers that are not those of a module.

    Raises:
        UsageError: If they are not. A buffer may have changed its shape in training.
    """
    if what not in groups:
        raise UsageError(f"the checkpoint does not fit: the {what} is not in the checkpoint")
    own, arrays = _model_arrays(module), groups[what]
    problems = [f"{name} is missing" for name in own if name not in arrays]
    problems += [f"{name} is not in the {what}" for name in arrays if name not in own]
    for name, parameter in module.named_parameters():
        if name in arrays and not _alike(parameter.data, arrays[name]):
            has, saved = _described(parameter.data), _described(arrays[name])
            problems.append(f"{name} is {has} in the {what} and {saved} in the checkpoint")
    if problems:
        raise UsageError(f"the checkpoint does not fit the {what}: {'; '.join(problems)}")


def _restore_module(module: Module, arrays: Mapping[str, Array]) -> None:
    """Copy parameters and buffers into a module."""
    for name, parameter in module.named_parameters():
        # In place: it is a part of a flat array.
        parameter.data[...] = to_device(arrays[name], device_name(parameter.data))
        parameter.bump_version()
    for name, buffer in module.named_buffers():
        saved = to_device(arrays[name], device_name(buffer.data))
        buffer.data = array_namespace(saved).array(saved, order="C")
        buffer.bump_version()


def _alike(a: Array, b: Array) -> bool:
    return bool(a.shape == b.shape and a.dtype == b.dtype)


def _described(array: Array) -> str:
    return f"{array.dtype} of shape {array.shape}"


def pack_states(stateful: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the states of several things by name, as JSON, and the arrays of all of them.

    Raises:
        TypeError: If one of them has no ``state_dict``, or something in it that cannot be saved.
    """
    states: dict[str, Any] = {}
    arrays: dict[str, Array] = {}
    for name, thing in stateful.items():
        if not all(hasattr(thing, method) for method in ("state_dict", "load_state_dict")):
            raise TypeError(
                f"the {name} {type(thing).__name__} has no state_dict() and load_state_dict(), so "
                "a checkpoint cannot hold it; derive it from distgrad's base class"
            )
        states[name], of_thing = pack(thing.state_dict(), name)
        arrays |= of_thing
    return states, arrays


def _restore_states(
    stateful: Mapping[str, Any], states: Mapping[str, Any], arrays: Mapping[str, Array]
) -> None:
    """Give several things the states that `pack_states` returned.

    Raises:
        UsageError: If one of them does not take its state, has none, or is not there.
    """
    for name in [*stateful, *(name for name in states if name not in stateful)]:
        if name not in states or name not in stateful:
            where = "checkpoint" if name not in states else "run"
            raise UsageError(f"the checkpoint does not fit: the {name} is not in the {where}")
        try:
            stateful[name].load_state_dict(unpack(states[name], arrays))
        except (ValueError, TypeError, LookupError, RuntimeError) as error:
            raise UsageError(f"the checkpoint does not fit the {name}: {error}") from error
