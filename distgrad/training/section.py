"""What all sections of a configuration have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from distgrad.training.problems import RULE

__all__ = ["PositiveNumber", "Section", "broken"]

PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A section: unknown keys are refused, and types are taken at their word."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def broken(line: str) -> PydanticCustomError:
    """Return the error of a rule between several keys; the line is all that is said."""
    return PydanticCustomError(RULE, "{line}", {"line": line})
