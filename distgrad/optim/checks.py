"""What optimizers refuse: options that make no sense, and parameters that cannot be optimized."""

import math
from typing import Any

import numpy as np

from distgrad.tensor import Tensor

__all__ = [
    "check_params",
    "plain_rate",
    "require",
    "require_betas",
    "require_non_negative",
    "require_rate",
    "split_names",
]


def require(valid: bool, name: str, value: object) -> None:
    """Raise `ValueError` for an option whose value makes no sense."""
    if not valid:
        raise ValueError(f"Invalid {name}: {value}")


def require_rate(lr: Any) -> None:
    """Raise `ValueError` unless the learning rate is one number, and not negative."""
    require(plain_rate(lr) >= 0.0, "learning rate", lr)


def require_non_negative(**options: float) -> None:
    """Raise `ValueError` for the first option that is negative, by its name."""
    for name, value in options.items():
        require(value >= 0.0, "epsilon value" if name == "eps" else f"{name} value", value)


def require_betas(betas: Any) -> None:
    """Raise `ValueError` unless both decays are numbers from 0 to below 1."""
    for index, beta in enumerate(betas):
        if hasattr(beta, "__array__") and not isinstance(beta, np.generic):
            raise ValueError(
                f"Invalid beta parameter at index {index}: betas must be numbers, got a "
                f"{type(beta).__name__}; use its item()"
            )
        require(0.0 <= beta < 1.0, f"beta parameter at index {index}", beta)


def plain_rate(lr: Any) -> Any:
    """Return a learning rate as it is, or the value of one that is an array of one element.

    Raises:
        ValueError: If it is an array of more elements, or of none.
    """
    if isinstance(lr, np.generic) or not hasattr(lr, "__array__"):
        return lr
    if math.prod(lr.shape) != 1:
        raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(lr.shape)}")
    return float(lr.item())


def split_names(params: Any) -> dict[str, Any]:
    """Return "params" as a list of Tensors and, if they came with names, "param_names"."""
    if isinstance(params, set):
        raise TypeError(
            "parameters must come in an ordered collection, because the order of a set changes "
            "between runs; use a list"
        )
    items = [params] if isinstance(params, Tensor) else list(params)
    names = [item[0] for item in items if isinstance(item, tuple)]
    if not names:
        return {"params": items}
    if len(names) != len(items):
        raise ValueError(f"{len(names)} of {len(items)} parameters have names: name all or none")
    return {"params": [tensor for _, tensor in items], "param_names": names}


def check_params(params: list[Any]) -> None:
    """Refuse what is no leaf Tensor, or stands twice in a group."""
    for parameter in params:
        if not isinstance(parameter, Tensor):
            raise TypeError(
                f"optimizer can only optimize Tensors, but one of the params is "
                f"{type(parameter).__name__}"
            )
        if not parameter.is_leaf:
            raise ValueError("can't optimize a non-leaf Tensor")
    # A parameter that occurs twice would be updated twice in one step.
    if len(set(params)) != len(params):
        raise ValueError("some parameters appear more than once in a parameter group")
