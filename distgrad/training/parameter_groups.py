"""The parameter groups of an optimizer: by patterns of names, and by what weight decay is for."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from inspect import Parameter as Argument
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from distgrad.errors import UsageError
from distgrad.nn import Parameter
from distgrad.training.problems import explain
from distgrad.training.section import broken
from distgrad.training.signature import check_arguments

__all__ = ["GroupConfig", "checked_groups", "parameter_groups"]

Pattern = Annotated[str, Field(min_length=1)]


class GroupConfig(BaseModel):
    """An entry of [[optimizer.groups]]: parameters, and the options that they have of their own."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    parameters: Pattern | Annotated[list[Pattern], Field(min_length=1)]
    """Patterns of names, with * for any text, ? for a character and [abc] for one of several."""

    @property
    def patterns(self) -> list[str]:
        """The patterns, also where there is one."""
        return [self.parameters] if isinstance(self.parameters, str) else self.parameters

    @property
    def options(self) -> dict[str, Any]:
        """What these parameters have of their own."""
        return dict(self.model_extra or {})


def checked_groups(
    groups: tuple[GroupConfig, ...], arguments: Mapping[str, Argument]
) -> tuple[GroupConfig, ...]:
    """Return groups with their options as an optimizer of these arguments wants them.

    Raises:
        PydanticCustomError: If there is an option that the optimizer does not have, or a value that
            is none of it.
    """
    return tuple(_checked(number, group, arguments) for number, group in enumerate(groups))


def _checked(number: int, group: GroupConfig, arguments: Mapping[str, Argument]) -> GroupConfig:
    given = {
        name: argument
        for name, argument in arguments.items()
        if name in group.options or argument.kind is Argument.VAR_KEYWORD
    }
    try:
        return group.model_copy(update=check_arguments(given, group.options))
    except ValidationError as error:
        document = {"optimizer": {"groups": {number: group.options}}}
        keys = ["parameters", *arguments]
        lines = explain(error, document, lambda *_: keys, ("optimizer", "groups", number))
        raise broken("; ".join(lines)) from error


def parameter_groups(
    named: Iterable[tuple[str, Parameter]],
    weight_decay_on: Literal["all", "matrices"] = "all",
    groups: Iterable[GroupConfig] = (),
) -> list[dict[str, Any]]:
    """Return the groups for an optimizer, those without options of their own first.

    Args:
        named: The names of the parameters, and they themselves.
        weight_decay_on: With "matrices" those of fewer than 2 axes do without weight decay, unless
            their group has its own.
        groups: A parameter is of the first whose pattern its name fits.

    Raises:
        UsageError: If a group has no parameters.

    Example:
        >>> import distgrad as dg
        >>> named = [*dg.nn.Linear(2, 1).named_parameters()]
        >>> of_biases = GroupConfig(parameters="*bias", lr=0.1)
        >>> [{**g, "params": len(g["params"])} for g in parameter_groups(named, groups=[of_biases])]
        [{'params': 1}, {'params': 1, 'lr': 0.1}]
        >>> [g.get("weight_decay") for g in parameter_groups(named, "matrices")]
        [None, 0.0]
    """
    named, groups = list(named), list(groups)
    chosen = [_place(name, groups) for name, _ in named]
    made: list[dict[str, Any]] = []
    for place in range(-1, len(groups)):
        members = [p for (_, p), at in zip(named, chosen, strict=True) if at == place]
        options = groups[place].options if place >= 0 else {}
        if place >= 0 and not members:
            raise UsageError(_nothing_for(place, groups, [name for name, _ in named]))
        spares = weight_decay_on == "matrices" and "weight_decay" not in options
        spared = [p for p in members if spares and p.ndim < 2]
        kept = [p for p in members if not (spares and p.ndim < 2)]
        made += [{"params": kept, **options}, {"params": spared, **options, "weight_decay": 0.0}]
    return [group for group in made if group["params"]]


def _place(name: str, groups: list[GroupConfig]) -> int:
    """Return the number of the group that a parameter belongs to, -1 for none of its own."""
    fitting = (
        place
        for place, group in enumerate(groups)
        if any(fnmatchcase(name, pattern) for pattern in group.patterns)
    )
    return next(fitting, -1)


def _nothing_for(place: int, groups: list[GroupConfig], names: list[str]) -> str:
    patterns = ", ".join(f'"{pattern}"' for pattern in groups[place].patterns)
    first = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return (
        f"optimizer.groups[{place}] has no parameters: {patterns} fits no name, or groups before "
        f"it have them all; the model has {first}"
    )
