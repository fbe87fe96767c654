"""Arguments from a configuration, checked against the signature of what they are given to."""

import json
from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any

from pydantic import ConfigDict, Field, PydanticUserError, create_model

from distgrad.training.toml import format_value

__all__ = ["check_arguments", "parameters_of"]

_CONFIG = ConfigDict(strict=True, arbitrary_types_allowed=True)


def parameters_of(function: Callable[..., Any], supplied: int = 0) -> dict[str, Parameter]:
    """Return the parameters of a callable that can be given by name, without the first ones.

    Args:
        function: A function or a class.
        supplied: How many leading parameters the caller fills itself.

    Raises:
        ValueError: If the callable has no signature that Python knows.

    Example:
        >>> def source(path: str, *, seed: int = 0): ...
        >>> list(parameters_of(source))
        ['path', 'seed']
    """
    try:
        parameters = list(signature(function, eval_str=True).parameters.values())
    except NameError:  # an annotation that only a type checker can resolve
        parameters = list(signature(function).parameters.values())
    by_name = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD)
    return {p.name: p for p in parameters[supplied:] if p.kind in by_name}


def check_arguments(
    parameters: Mapping[str, Parameter], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments as the annotations want them, with the defaults of those not given.

    A default is left out where TOML has no value for it.

    Raises:
        pydantic.ValidationError: If arguments are unknown, missing or of the wrong type.

    Example:
        >>> def optimizer(params, lr: float, betas: tuple[float, float] = (0.9, 0.999)): ...
        >>> check_arguments(parameters_of(optimizer, supplied=1), {"lr": 1})
        {'lr': 1.0, 'betas': (0.9, 0.999)}
    """
    named = {n: p for n, p in parameters.items() if p.kind is not Parameter.VAR_KEYWORD}
    # Behind aliases, because a model's fields may not be called as its methods are.
    fields: dict[str, Any] = {
        f"field_{place}": (_annotation(p), Field(_default(p), alias=name))
        for place, (name, p) in enumerate(named.items())
    }
    config = _CONFIG | {"extra": "forbid" if len(named) == len(parameters) else "allow"}
    # From JSON, because there strict types still let an array be a tuple and an integer a float.
    checked = create_model("Arguments", __config__=config, **fields).model_validate_json(
        json.dumps(arguments, default=str)
    )
    values = {name: getattr(checked, field) for name, field in zip(named, fields, strict=True)}
    kept = {name: v for name, v in values.items() if name in arguments or _is_plain(v)}
    return kept | (checked.model_extra or {})


def _annotation(parameter: Parameter) -> Any:
    annotation = parameter.annotation
    if annotation is Parameter.empty or isinstance(annotation, str):
        return Any
    try:
        create_model("Argument", __config__=_CONFIG, value=(annotation, ...))
    except (PydanticUserError, NameError):  # a type that pydantic cannot check
        return Any
    return annotation


def _default(parameter: Parameter) -> Any:
    return ... if parameter.default is Parameter.empty else parameter.default


def _is_plain(value: Any) -> bool:
    try:
        format_value(value)
    except TypeError:
        return False
    return True
