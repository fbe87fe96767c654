"""Components of a configuration: a name, and arguments checked against what the name stands for."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from distgrad.errors import UsageError
from distgrad.training.facts import open_parameters
from distgrad.training.registry import find
from distgrad.training.signature import check_arguments, parameters_of

__all__ = [
    "ComponentConfig",
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
        parameters = parameters_of(find(self.role, self.name), self.supplied)
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
    def known_keys(cls, name: str) -> list[str]:
        """Return the keys of the table of the component ``name``."""
        return ["name", *parameters_of(find(cls.role, name), cls.supplied)]

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        parameters_of(find(cls.role, name))
        return name

    @model_validator(mode="before")
    @classmethod
    def _check_arguments(cls, table: Any) -> Any:
        if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
            return table
        try:
            parameters = parameters_of(find(cls.role, table["name"]), cls.supplied)
        except ValueError:
            return table  # the check of the name says why
        given = {key: value for key, value in table.items() if key != "name"}
        return {"name": table["name"], **check_arguments(parameters, given)}


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


class SchedulerConfig(ComponentConfig):
    """[scheduler]: takes the optimizer and makes a scheduler, stepped once per optimizer step."""

    role = "scheduler"
    supplied = 1


class TransformConfig(ComponentConfig):
    """An entry of [[data.augment]]: makes a function that changes the inputs of a micro-batch."""

    role = "transform"
