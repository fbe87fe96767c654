"""Components of a configuration: a name, and arguments checked against what the name stands for."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from inspect import Parameter
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator

from distgrad.errors import UsageError
from distgrad.training.facts import open_parameters
from distgrad.training.objective import Objective
from distgrad.training.parameter_groups import GroupConfig, checked_groups
from distgrad.training.registry import Component, find
from distgrad.training.signature import check_arguments, parameters_of

__all__ = [
    "CallbackConfig",
    "ComponentConfig",
    "LossConfig",
    "MetricConfig",
    "ModelConfig",
    "OptimizerConfig",
    "SchedulerConfig",
    "SourceConfig",
    "TransformConfig",
]


class ComponentConfig(BaseModel):
    """A table with a ``name``, built-in or "package.module:callable", and arguments of its own.

    The arguments are those of the callable's signature: unknown ones, missing ones and those of the
    wrong type are refused before anything is built.

    Attributes:
        role: What the component is in a run.
        supplied: How many leading arguments the trainer passes when it builds the component.
        may_be_name: Whether the name alone may stand for the table.

    Example:
        >>> model = ModelConfig(name="mlp", sizes=[2, 1])
        >>> model.arguments
        {'sizes': [2, 1], 'activation': 'relu', 'dropout': 0.0}
        >>> model.build()
        Sequential(
          (0): Linear(in_features=2, out_features=1, bias=True)
        )
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    role: ClassVar[str]
    supplied: ClassVar[int] = 0
    may_be_name: ClassVar[bool] = False

    name: str

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments, defaults included."""
        return dict(self.model_extra or {})

    def filled(self, known: Callable[[str], Any]) -> Self:
        """Return the component with the arguments that are the run's to give; see `FromRun`.

        Args:
            known: Returns what the run knows under a name, or None.

        Raises:
            UsageError: If an argument has no value then.
        """
        parameters = self.parameters(self.name)
        values = {name: known(name) for name in open_parameters(parameters, self.arguments)}
        for name, value in values.items():
            if value is None:
                raise UsageError(
                    f"{self.role} {self.name}: {name} is not given, and the run does not tell it; "
                    f"set {self.role}.{name}"
                )
        return self.model_copy(update=values)

    def build(self, *supplied: Any) -> Any:
        """Call the component with what the trainer supplies, and the arguments.

        Raises:
            UsageError: If the component does not take the values, or cannot read what they name.
        """
        component = find(self.role, self.name)
        try:
            return component(*supplied, **self.arguments)
        except (ValueError, OSError) as error:
            raise UsageError(f"{self.role} {self.name}: {error}") from error

    @classmethod
    def component(cls, name: str) -> Component:
        """Return what takes the arguments of the component ``name``.

        Raises:
            ValueError: If there is no such component.
        """
        return find(cls.role, name)

    @classmethod
    def parameters(cls, name: str) -> dict[str, Parameter]:
        """Return the parameters of the component ``name`` that a table can give.

        Raises:
            ValueError: If there is no such component.
        """
        return parameters_of(cls.component(name), cls.supplied)

    @classmethod
    def known_keys(cls, name: str) -> list[str]:
        """Return the keys of the table of the component ``name``."""
        return [*cls.model_fields, *cls.parameters(name)]

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        cls.parameters(name)
        return name

    @model_validator(mode="before")
    @classmethod
    def _check_arguments(cls, table: Any) -> Any:
        if cls.may_be_name and isinstance(table, str):
            table = {"name": table}
        if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
            return table
        try:
            parameters = cls.parameters(table["name"])
        except ValueError:
            return table  # the check of the name says why
        own = {key: value for key, value in table.items() if key in cls.model_fields}
        given = {key: value for key, value in table.items() if key not in own}
        return {**own, **check_arguments(parameters, given)}


class ModelConfig(ComponentConfig):
    """[model]: makes a `distgrad.nn.Module`."""

    role = "model"


class SourceConfig(ComponentConfig):
    """[data.source]: makes a `distgrad.data.Split`."""

    role = "source"


class OptimizerConfig(ComponentConfig):
    """[optimizer]: takes the model's parameters and makes a `distgrad.optim.Optimizer`."""

    role = "optimizer"
    supplied = 1

    groups: tuple[GroupConfig, ...] = ()
    """Parameters with options of their own, by patterns of their names; the first that fits."""

    @field_validator("groups")
    @classmethod
    def _check_groups(
        cls, groups: tuple[GroupConfig, ...], info: ValidationInfo
    ) -> tuple[GroupConfig, ...]:
        name = info.data.get("name")  # missing if it was refused
        return checked_groups(groups, cls.parameters(name)) if name else groups


class SchedulerConfig(ComponentConfig):
    """[scheduler]: takes the optimizer and makes a scheduler, stepped once per optimizer step."""

    role = "scheduler"
    supplied = 1


class TransformConfig(ComponentConfig):
    """An entry of [[data.augment]]: makes a function that changes the inputs of a micro-batch."""

    role = "transform"


class LossConfig(ComponentConfig):
    """`training.loss`: what training minimises; arguments are those behind output and target."""

    role = "loss"
    supplied = 2
    may_be_name = True

    @classmethod
    def component(cls, name: str) -> Component:
        """Return the function of outputs and targets."""
        found = super().component(name)
        return found.loss if isinstance(found, Objective) else found

    def build(self) -> Objective:
        """Return what a run minimises and measures."""
        found = find(self.role, self.name)
        objective = found if isinstance(found, Objective) else Objective(found)
        arguments = self.arguments
        if not arguments:
            return objective
        return replace(objective, loss=partial(objective.loss, **arguments))


class MetricConfig(ComponentConfig):
    """An entry of `training.metrics`: makes a `distgrad.training.Metric`."""

    role = "metric"
    may_be_name = True


class CallbackConfig(ComponentConfig):
    """An entry of `training.callbacks`: makes a `distgrad.training.Callback`."""

    role = "callback"
    may_be_name = True
