"""The components that a configuration can name, and how a name is found."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeAlias

from distgrad import data, optim
from distgrad.data import transforms
from distgrad.optim import lr_scheduler
from distgrad.training.models import GPT, cnn, mlp
from distgrad.training.objective import OBJECTIVES
from distgrad.training.problems import known_names
from distgrad.training.schedules import warmup_cosine

__all__ = ["BUILT_IN", "Component", "find"]

Component: TypeAlias = Callable[..., Any]

BUILT_IN: Mapping[str, Mapping[str, Component]] = {
    "model": {"mlp": mlp, "cnn": cnn, "gpt": GPT},
    "source": {
        "csv": data.csv,
        "digits": data.digits,
        "idx": data.idx,
        "npz": data.npz,
        "sine": data.sine,
        "text": data.text,
    },
    "transform": {
        "random_crop": transforms.RandomCrop,
        "random_horizontal_flip": transforms.RandomHorizontalFlip,
    },
    "optimizer": {
        "sgd": optim.SGD,
        "adagrad": optim.Adagrad,
        "adam": optim.Adam,
        "adamw": optim.AdamW,
    },
    "scheduler": {
        "step": lr_scheduler.StepLR,
        "cosine": lr_scheduler.CosineAnnealingLR,
        "linear": lr_scheduler.LinearLR,
        "warmup_cosine": warmup_cosine,
    },
    "loss": OBJECTIVES,
}
"""By role and name. A component takes plain arguments and never sees the configuration."""


def find(role: str, name: str) -> Component:
    """Return the callable of that name: a built-in one, or "package.module:callable".

    Raises:
        ValueError: If there is none; the message names the nearest.

    Example:
        >>> find("optimizer", "adam") is find("optimizer", "distgrad.optim:Adam")
        True
    """
    built_in = BUILT_IN[role]
    if name in built_in:
        return built_in[name]
    if ":" not in name:
        raise ValueError(
            f"no such {role}; {known_names(name, built_in)}, or one of your own as "
            '"package.module:callable"'
        )
    return _imported(name)


def _imported(name: str) -> Component:
    module_name, _, attribute = name.partition(":")
    try:
        module = import_module(module_name)
    except (ImportError, ValueError) as error:
        raise ValueError(f"the module {module_name!r} cannot be imported ({error})") from error
    found: Component | None = getattr(module, attribute, None)
    if found is None or not callable(found):
        callables = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
        raise ValueError(
            f"the module {module_name!r} has no callable {attribute!r}; "
            f"{known_names(attribute, callables)}"
        )
    return found
