"""In what two steps part that began alike."""

from dataclasses import dataclass
from typing import Any, Literal

from distgrad.training.replay.observation import MicroBatch, Sight
from distgrad.training.replay.player import Outcome

__all__ = ["Cause", "cause_of"]

Kind = Literal["beginning", "cut", "data", "loss", "gradient", "failure", "sum", "update"]


@dataclass(frozen=True)
class Cause:
    """The first thing in which two steps part.

    Attributes:
        kind: "beginning": the states before the first step that was made. "cut": the number of
            samples, or of micro-batches. "data": the samples of a micro-batch. "loss" and
            "gradient": of a micro-batch of the same samples. "failure": one of the steps, or the
            other, ended in an error. "sum": the mean gradient, of equal micro-batches. "update":
            what the optimizer makes of one gradient.
        parameter: The first that differs.
        others: How many others differ.
        micro_batch: The first that differs, from 0.
        micro_batches: How many there are.
        parts: Of the samples, what differs.
        values: What differs in numbers, in A and in B.
    """

    kind: Kind
    parameter: str | None = None
    others: int = 0
    micro_batch: int | None = None
    micro_batches: int | None = None
    parts: tuple[str, ...] = ()
    values: tuple[Any, Any] | None = None


def cause_of(sights: list[Sight], outcomes: list[Outcome], arrays: list[str]) -> Cause:
    """Return in what two steps part.

    Args:
        sights: What was seen of them.
        outcomes: What came of them.
        arrays: The parameters and buffers that differ behind them.
    """
    a, b = sights
    cuts = [(sight.samples, len(sight.micro_batches)) for sight in sights]
    if a.samples is not None and b.samples is not None and cuts[0] != cuts[1]:
        return Cause("cut", values=(cuts[0], cuts[1]))
    for one, other in zip(a.micro_batches, b.micro_batches, strict=False):
        cause = _of_micro_batch(one, other, max(cut[1] for cut in cuts))
        if cause:
            return cause
    if any(outcome.error for outcome in outcomes):
        return Cause("failure", values=(outcomes[0].error, outcomes[1].error))
    apart = _apart(a, b)
    if apart:
        return Cause("sum", parameter=apart[0], others=len(apart) - 1)
    lr, other_lr = (outcome.row.get("lr") for outcome in outcomes)
    return Cause(
        "update",
        parameter=arrays[0] if arrays else None,
        others=max(len(arrays) - 1, 0),
        values=(lr, other_lr),
    )


def _apart(a: Sight, b: Sight) -> list[str]:
    """Return the parameters whose mean gradients differ."""
    pairs = zip(a.gradients, b.gradients, strict=False)
    return [one.name for one, other in pairs if one.sha256 != other.sha256]


def _of_micro_batch(one: MicroBatch, other: MicroBatch, micro_batches: int) -> Cause | None:
    where = one.index, micro_batches
    names = [*one.gradients, *(name for name in other.gradients if name not in one.gradients)]
    gradients = [name for name in names if one.gradients.get(name) != other.gradients.get(name)]
    first, others = (gradients[0], len(gradients) - 1) if gradients else (None, 0)
    values = (one.loss_sum, one.count), (other.loss_sum, other.count)
    if one.batch and other.batch and one.batch != other.batch:
        parts = tuple(name for name in one.batch if one.batch[name] != other.batch.get(name))
        return Cause("data", first, others, *where, parts, values)
    if repr(values[0]) != repr(values[1]):
        return Cause("loss", first, others, *where, (), values)
    return Cause("gradient", first, others, *where) if gradients else None
