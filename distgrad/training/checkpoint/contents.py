"""What a checkpoint holds."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distgrad.backend import Array

__all__ = ["Checkpoint"]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a run after a step.

    Attributes:
        step: The number of steps done.
        arrays: Arrays of NumPy by name, in groups; each group becomes a file, such as
            ``model.safetensors``. They may have any shape and memory layout; their data types are
            bool, int8 to int64, uint8 to uint64, float16 to float64, and bfloat16.
        state: Everything else, of what JSON can hold, NaN and infinity included: keys are strings,
            and tuples come back as lists.

    Raises:
        ValueError: If ``step`` is negative or a group cannot be the name of a file.
    """

    step: int
    arrays: Mapping[str, Mapping[str, Array]]
    state: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.step < 0:
            raise ValueError(f"the step of a checkpoint must be at least 0, got {self.step}")
        for group in self.arrays:
            if not re.fullmatch(r"[A-Za-z0-9_-]+", group):
                raise ValueError(
                    f"the arrays of a checkpoint are in files named after their group: {group!r} "
                    "must be made of letters, digits, _ and - only"
                )

    def state_json(self) -> bytes:
        """Return the state as JSON.

        Raises:
            TypeError: If there is something in it that JSON does not know.
        """
        return (json.dumps(self.state, indent=2) + "\n").encode()
