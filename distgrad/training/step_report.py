"""What a step of training tells."""

from dataclasses import asdict, dataclass
from typing import Any

from distgrad.training.metrics import Value

__all__ = ["StepReport"]


@dataclass(frozen=True)
class StepReport:
    """What one step did; the same on every rank but for the seconds.

    Attributes:
        step: Its number, from 1.
        epoch: The number of its epoch, from 1.
        loss: The mean loss over the global batch, before the update; None where it is not finite,
            or nothing counts.
        lr: The learning rate of the update.
        samples: How many samples the global batch had.
        count: What the loss was divided by, such as samples or tokens.
        seconds: How long the step took on this rank.
        grad_norm: The norm of the gradient before it was clipped; None where it is not.
        test: What an evaluation after the step gave, or None.
        skipped: Why there was no update, or None.
        loss_scale: What the loss was multiplied with in float16; None in other precisions.
    """

    step: int
    epoch: int
    loss: float | None
    lr: float
    samples: int
    count: float
    seconds: float
    grad_norm: float | None = None
    test: dict[str, Value] | None = None
    skipped: str | None = None
    loss_scale: float | None = None

    def as_row(self) -> dict[str, Any]:
        """Return what there is, flat: results of an evaluation as ``test_loss`` and so on."""
        row = {name: value for name, value in asdict(self).items() if value is not None}
        test = row.pop("test", {})
        return row | {f"test_{name}": value for name, value in test.items()}
