"""[training]: what is minimised and measured, how a step is made, and when the run ends."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveInt, model_validator

from distgrad.training.component import CallbackConfig, LossConfig, MetricConfig
from distgrad.training.section import PositiveNumber, Section, broken

__all__ = ["AverageConfig", "TrainingConfig"]

_ENDS = ("max_steps", "max_epochs", "target_loss", "target_metric", "patience")
_EVALUATIONS = ("evaluate_every_epochs", "evaluate_every_steps")


class AverageConfig(Section):
    """[training.ema]: an exponential moving average of the weights."""

    decay: Annotated[float, Field(gt=0, lt=1)] = 0.999
    """What is left of the average at each step; the rest are the weights behind it."""


class TrainingConfig(Section):
    """[training]: the loss, the seed, and when to stop: as soon as one of the conditions holds."""

    loss: LossConfig
    """What is minimised: "cross_entropy", "mse", "next_token" or one's own function; or a table of
    that ``name`` and arguments."""

    metrics: tuple[MetricConfig, ...] = ()
    """What is measured on the test samples besides."""

    precision: Literal["fp32", "fp16", "bf16"] = "fp32"
    """What forward and backward passes compute in; the parameters are float32. With "fp16" the loss
    is scaled: a step whose gradients overflow is skipped, and the next has half the scale. "bf16"
    has the range of float32 and needs no scale; it takes the extra ``distgrad[bf16]``."""

    capture: bool = False
    """Record the work of a micro-batch, on a GPU as a graph, and replay it; the same bits."""

    seed: Annotated[int, Field(ge=0, lt=2**64)] = 0
    """Names the initial parameters, the order of samples and the random draws of each step."""

    max_steps: PositiveInt | None = None
    """Stop after so many steps."""

    max_epochs: PositiveInt | None = None
    """Stop after so many epochs."""

    target_loss: float | None = None
    """Stop after an epoch whose mean training loss is at most this."""

    monitor: str | None = None
    """Which of the numbers of an evaluation tells whether the run gets better, such as "loss" or
    "accuracy"; None for the mean training loss of each epoch."""

    monitor_mode: Literal["min", "max"] | None = None
    """Whether less of it is better, or more; where that is known it need not be said."""

    target_metric: float | None = None
    """Stop after an evaluation in which it was at least as good as this."""

    patience: PositiveInt | None = None
    """Stop after so many epochs in a row, or evaluations if there is a ``monitor``, that were not
    better than the best before."""

    min_delta: NonNegativeFloat = 0.0
    """By more than this the number must be better than the best to count as better."""

    evaluate_every_epochs: PositiveInt | None = None
    """Evaluate on the test samples after every so many epochs; it is always done at the end."""

    evaluate_every_steps: PositiveInt | None = None
    """Evaluate on them after every so many steps."""

    clip_grad_value: PositiveNumber | None = None
    """Limit each element of the gradient to plus or minus this."""

    clip_grad_norm: PositiveNumber | None = None
    """Scale the gradient down to this norm where it is longer, after ``clip_grad_value``."""

    on_nonfinite: Literal["stop", "skip"] = "stop"
    """What is done about a step whose loss or gradient is not finite: "stop" ends the run, "skip"
    leaves the parameters as they are, counts the step and goes on with the next."""

    weight_decay_on: Literal["all", "matrices"] = "all"
    """What the optimizer's weight_decay is for: "matrices" spares parameters of fewer than 2 axes,
    such as biases and what normalisations scale and shift by."""

    ema: AverageConfig | None = None
    """Evaluate, sample and leave behind an average of the weights over the steps."""

    callbacks: tuple[CallbackConfig, ...] = ()
    """What of one's own looks into the run: import paths, or tables of ``name`` and arguments."""

    @property
    def evaluates(self) -> bool:
        """Whether the run is evaluated before its end."""
        return any(getattr(self, key) for key in _EVALUATIONS)

    @model_validator(mode="after")
    def _check_stop(self) -> Self:
        if all(getattr(self, condition) is None for condition in _ENDS):
            raise broken(
                f"training: nothing ends the run; give at least one of {', '.join(_ENDS)}, such as "
                "max_epochs = 10"
            )
        return self

    @model_validator(mode="after")
    def _check_monitor(self) -> Self:
        for key in ("monitor_mode", "target_metric"):
            if self.monitor is None and getattr(self, key) is not None:
                raise broken(
                    f"training.{key}: says something of training.monitor, which is not given; name "
                    'a number of the evaluations by it, such as monitor = "loss"'
                )
        if self.monitor is not None and not self.evaluates:
            raise broken(
                f'training.monitor = "{self.monitor}": is a number of evaluations, and none is '
                f"made before the end; give {' or '.join(_EVALUATIONS)}"
            )
        if self.min_delta and self.patience is None:
            raise broken(
                f"training.min_delta = {self.min_delta}: says what training.patience counts as "
                "better; give patience, too, or leave it out"
            )
        return self
