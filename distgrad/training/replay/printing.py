"""What is printed of a step that was made again, and of the step at which two runs part."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from distgrad.training.replay.cause import Cause
from distgrad.training.replay.observation import MicroBatch, Sight
from distgrad.training.replay.parting import Parting
from distgrad.training.replay.step import StepReplay, mismatches
from distgrad.training.toml import format_value

__all__ = ["print_json", "print_parting", "print_step"]

_SHOWN = {"loss": "loss", "lr": "learning rate", "grad_norm": "gradient norm before clipping"}


def print_json(result: StepReplay | Parting, out: TextIO) -> None:
    """Print all that is known; numbers that JSON does not have as "nan", "inf" and "-inf"."""
    print(json.dumps(_plain(asdict(result)), indent=2), file=out)


def print_step(replay: StepReplay, path: Path, out: TextIO) -> None:
    """Print what came of a step, and whether it is what was recorded."""
    ranks = f"{replay.ranks} ranks" if replay.ranks > 1 else "one process"
    lines = [f"step {replay.step} of {path}, made again {_from(replay.start)} in {ranks}"]
    lines += _outcome(replay)
    if replay.outcome.error or _not_finite(replay.sight):
        lines += _micro_batches(replay.sight)
    lines += _gradients(replay.sight)
    if replay.arrays is not None:
        alike = "bit for bit" if not replay.arrays else f"NO: {_some(replay.arrays)} differs"
        lines.append(f"after the step as in its checkpoint: {alike}")
    print(*lines, _verdict(replay), sep="\n", file=out, flush=True)


def _from(start: int) -> str:
    return f"from the checkpoint of step {start}" if start else "from the beginning"


def _outcome(replay: StepReplay) -> Iterator[str]:
    """Yield a line for each number that the run has recorded, and for how the step failed."""
    apart = mismatches(replay.outcome, replay.row, replay.failure)
    row = replay.outcome.row
    for name in {**row, **apart}:
        now = row.get(name)
        if name in apart:
            was = apart[name][1]
            yield f"{_SHOWN.get(name, name)} {apart[name][0]} (recorded: {was})"
        elif name in _SHOWN or name == "skipped":
            yield f"{_SHOWN.get(name, name)} {now}{' (as recorded)' if replay.row else ''}"
    error = replay.outcome.error
    if error and "failure" not in apart:
        yield f"failure: {error}{' (as recorded)' if replay.failure else ''}"
    if replay.outcome.trace:
        yield replay.outcome.trace.rstrip()


def _not_finite(sight: Sight) -> bool:
    return any(_problem(seen) for seen in sight.micro_batches) or any(
        gradient.not_finite for gradient in sight.gradients
    )


def _problem(seen: MicroBatch) -> str | None:
    """Say what of a micro-batch is not finite, the cause first."""
    found = [f"samples ({name})" for name in seen.batch_not_finite]
    found += [] if math.isfinite(seen.loss_sum) else ["loss"]
    found += [f"gradient of {seen.not_finite[0]}"] if seen.not_finite else []
    others = len(seen.not_finite) - 1
    return (", ".join(found) + (f" and {others} others" if others > 0 else "")) if found else None


def _micro_batches(sight: Sight) -> Iterator[str]:
    yield "micro-batches:"
    for seen in sight.micro_batches:
        mean = seen.loss_sum / seen.count if seen.count else math.nan
        problem = _problem(seen)
        yield f"  {seen.index}  loss {mean:.9g}{f'  not finite: {problem}' if problem else ''}"
    first = next((seen for seen in sight.micro_batches if _problem(seen)), None)
    if first:
        yield f"the first that is not finite is micro-batch {first.index}: {_problem(first)}"
    elif _not_finite(sight):
        names = [gradient.name for gradient in sight.gradients if gradient.not_finite]
        yield f"each micro-batch is finite, and their sum is not: gradient of {_some(names)}"


def _gradients(sight: Sight) -> Iterator[str]:
    if not sight.gradients:
        return
    width = max(len("parameter"), *(len(gradient.name) for gradient in sight.gradients))
    yield f"mean gradient over {sight.samples} samples, before clipping:"
    yield f"  {'parameter':{width}}  {'norm':>14}  {'largest':>14}  not finite"
    for gradient in sight.gradients:
        if gradient.norm is None or gradient.largest is None:
            yield f"  {gradient.name:{width}}  {'none':>14}"
            continue
        not_finite = f"{gradient.not_finite} of {gradient.size}" if gradient.not_finite else "-"
        numbers = f"{gradient.norm:14.8g}  {gradient.largest:14.8g}"
        yield f"  {gradient.name:{width}}  {numbers}  {not_finite}"


def _verdict(replay: StepReplay) -> str:
    if replay.row is None and replay.failure is None:
        return "the run has recorded nothing of this step, so there is nothing to compare with"
    if replay.reproduced:
        return "what was recorded came out again, bit for bit"
    return (
        "what was recorded did NOT come out again: when the run made this step, the machine, its "
        "software or the code was not what it is now, or something disturbed it"
    )


def print_parting(parting: Parting, a: Path, b: Path, out: TextIO) -> None:
    """Print where two runs part, and in what."""
    lines = [f"A {a}", f"B {b}"]
    if parting.step is None:
        lines.append(f"the runs are alike, bit for bit, up to step {parting.last}")
    elif parting.cause:
        lines += _parted(parting.step, parting.cause, parting.start)
    lines += _disturbed(parting)
    if parting.settings:
        lines.append("A and B differ in:")
        lines += [f"  {key}: {_value(x)} / {_value(y)}" for key, (x, y) in parting.settings.items()]
    print(*lines, sep="\n", file=out, flush=True)


def _parted(step: int, cause: Cause, start: int) -> Iterator[str]:
    if cause.kind == "beginning":
        yield f"the runs part before step {step + 1}: {_parameter(cause)} differs at the beginning"
        return
    yield f"the runs part at step {step} (made again {_from(start)}), {_FIRST[cause.kind]}:"
    yield f"  {_described(cause)}"
    if cause.kind in ("data", "loss") and cause.parameter:
        yield f"  so the gradient of {_parameter(cause)} differs"


_FIRST = {
    "cut": "in the cut of the global batch",
    "data": "in the samples",
    "loss": "in the loss of the same samples",
    "gradient": "in a gradient, of the same loss",
    "sum": "in the mean gradient, of the same micro-batches",
    "update": "in the update, by the same gradient",
    "failure": "in how it failed",
}


def _described(cause: Cause) -> str:
    one, other = cause.values or (None, None)
    place = f"micro-batch {cause.micro_batch} (of {cause.micro_batches}, numbered from 0)"
    if cause.kind == "cut":
        (samples, parts), (other_samples, other_parts) = cause.values or ((0, 0), (0, 0))
        return (
            f"{samples} samples in {parts} micro-batches / {other_samples} in {other_parts}; the "
            "result depends on data.global_batch_size and data.micro_batch_size"
        )
    if cause.kind in ("data", "loss"):
        losses = " / ".join(f"{loss}" for loss, _ in cause.values or ())
        what = f"{', '.join(cause.parts)} differs; " if cause.parts else ""
        return f"{place}: {what}sum of the loss {losses}"
    if cause.kind == "gradient":
        return f"{place}: gradient of {_parameter(cause)}"
    if cause.kind == "failure":
        return f"{one or 'it did not fail'} / {other or 'it did not fail'}"
    rates = f"; learning rate {one} / {other}" if one != other else ""
    return f"{_parameter(cause)} differs{rates}"


def _parameter(cause: Cause) -> str:
    others = f" (and {cause.others} more)" if cause.others else ""
    return f"{cause.parameter}{others}"


def _disturbed(parting: Parting) -> Iterator[str]:
    for name, apart in parting.disturbed.items():
        values = [
            f"{_SHOWN.get(key, key)} {now}, recorded {then}"
            for key, (now, then) in apart.items()
            if (now, then) != (None, None)
        ]
        arrays = [key for key, pair in apart.items() if pair == (None, None)]
        values += [f"{_some(arrays)} differs from the checkpoint"] if arrays else []
        yield (
            f"{name} does not come out again as recorded at step {parting.step}: "
            f"{'; '.join(values)}"
        )
    if parting.disturbed and parting.cause is None:
        yield (
            f"made again {_from(parting.start)}, the runs do not part there: the machine, its "
            "software or the code was not what it is now, or something disturbed "
            f"{' and '.join(parting.disturbed)}"
        )


def _some(names: Sequence[str]) -> str:
    return names[0] + (f" (and {len(names) - 1} more)" if len(names) > 1 else "")


def _value(value: Any) -> str:
    return "not given" if value is None else format_value(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
