"""How the time of a step grows with what there is to do, and how far that is from a straight line.

python benchmarks/growth.py                 all curves; results/growth/growth.json and growth.svg
python benchmarks/growth.py depth           some
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from command_line import RESULTS, circumstances, one_of, positive, say, write_result
from report import growth_heading, growth_table

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn

SECONDS = 0.1
"""How long a point is repeated in a round; the fastest repetition counts."""


@dataclass(frozen=True)
class Curve:
    """Step time against one quantity.

    Attributes:
        title: What grows.
        sizes: What `training` is given.
        training: Makes a loop that does a step each time it is asked for, and tells the quantity.
    """

    title: str
    sizes: Sequence[int]
    training: Callable[[int], tuple[int, Iterator[None]]]


class Chain(nn.Module):
    """As many operations as asked for, one after the other."""

    def __init__(self, operations: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(np.full((8, 16), 0.5, np.float32))
        self._operations = operations

    def forward(self, x: dg.Tensor) -> dg.Tensor:
        """Return outputs of the shape of the inputs."""
        for number in range(self._operations):
            x = x.tanh() if number % 2 else x * self.weight
        return x


def steps(
    module: nn.Module, features: int, micro_batch: int, micro_batches: int = 1
) -> Iterator[None]:
    """Train with AdamW, a step each time."""
    rng = np.random.default_rng(0)
    samples = 4 * micro_batch * micro_batches
    data = dg.data.TensorDataset(x=rng.standard_normal((samples, features), np.float32))
    windows = dg.data.GlobalBatches(data, micro_batch * micro_batches, micro_batch)
    model = dg.distributed.DataParallel(module, dg.distributed.connect())
    optimizer = dg.optim.AdamW(model.parameters(), lr=1e-3)

    def loss(batch: Any) -> tuple[dg.Tensor, int]:
        outputs = model(batch.x)
        return F.mse_loss(outputs, dg.zeros(outputs.shape), reduction="sum"), len(outputs)

    while True:
        for window in windows:
            model.accumulate(loss, window)
            optimizer.step()
            yield


def perceptron(width: int, layers: int) -> nn.Module:
    """Return equal linear layers with a ReLU behind each."""
    return nn.Sequential(*(m for _ in range(layers) for m in (nn.Linear(width, width), nn.ReLU())))


def by_layers(layers: int) -> tuple[int, Iterator[None]]:
    module = perceptron(256, layers)
    return _parameters(module), steps(module, 256, 64)


def by_width(width: int) -> tuple[int, Iterator[None]]:
    module = perceptron(width, 4)
    return _parameters(module), steps(module, width, 64)


def by_micro_batches(micro_batches: int) -> tuple[int, Iterator[None]]:
    return micro_batches, steps(perceptron(256, 4), 256, 32, micro_batches)


def by_micro_batch(micro_batch: int) -> tuple[int, Iterator[None]]:
    return micro_batch, steps(perceptron(256, 4), 256, micro_batch)


def by_depth(operations: int) -> tuple[int, Iterator[None]]:
    return operations, steps(Chain(operations), 16, 8)


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _powers(base: int, first: int, last: int) -> list[int]:
    return [base**exponent for exponent in range(first, last + 1)]


CURVES = {
    "parameters": Curve("parameters (layers of 256)", _powers(2, 0, 6), by_layers),
    "width": Curve(
        "parameters (4 layers, wider and wider)",
        [64, 128, 256, 512, 1024],
        by_width,
    ),
    "micro-batches": Curve("micro-batches of a step", _powers(2, 0, 7), by_micro_batches),
    "micro-batch": Curve("samples in a micro-batch", _powers(2, 4, 12), by_micro_batch),
    "depth": Curve(
        "operations one after the other", [10, 30, 100, 300, 1000, 3000, 10000], by_depth
    ),
}


def measure(curve: Curve, rounds: int, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Return the points of a curve: "x", and "ms", the fastest step of each round.

    The rounds go through all points, so that each has its chance of a moment when the machine does
    nothing besides.
    """
    trainings = [curve.training(size) for size in curve.sizes]
    for _, training in trainings:
        next(training)
    points: list[dict[str, Any]] = [{"x": x, "ms": []} for x, _ in trainings]
    for _ in range(rounds):
        for point, (_, training) in zip(points, trainings, strict=True):
            point["ms"].append(_fastest(training, seconds))
    return points


def _fastest(training: Iterator[None], seconds: float) -> float:
    # Processor time, which is what a step of one thread takes where it need not wait for a core.
    least = float("inf")
    end = time.process_time() + seconds
    while least == float("inf") or time.process_time() < end:
        start = time.process_time()
        next(training)
        least = min(least, time.process_time() - start)
    return 1e3 * least


def fit(points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Fit a straight line to the fastest of all rounds.

    Each deviation counts as a part of its own point, lest the last one alone decide.

    Returns:
        "fixed_ms" and "ms_of_one", the line, and "deviations", each as a part of the line.
    """
    x = np.array([point["x"] for point in points], float)
    y = np.array([min(point["ms"]) for point in points])
    (fixed, slope), *_ = np.linalg.lstsq(np.stack([1 / y, x / y], axis=1), np.ones_like(y))
    line = fixed + slope * x
    return {
        "fixed_ms": float(fixed),
        "ms_of_one": float(slope),
        "deviations": (y / line - 1).tolist(),
    }


def main() -> None:
    arguments = _parser().parse_args()
    result = {**circumstances(), "rounds": arguments.rounds, "curves": {}}
    for name in arguments.curves or CURVES:
        curve = CURVES[name]
        say(f"{curve.title} ...")
        points = measure(curve, arguments.rounds)
        result["curves"][name] = {
            "title": curve.title,
            "points": points,
            **fit(points),
        }
    result["versions"] = {"distgrad": _versions()}
    print(f"{growth_heading(result)}\n\n{growth_table(result)}\n")
    write_result(result, arguments.output)
    _draw(result, arguments.output.with_suffix(".svg"))


def _versions() -> dict[str, Any]:
    from workers.distgrad_worker import versions

    return versions("none (one process)")


def _draw(result: Mapping[str, Any], path: Path) -> None:
    try:
        from plots import draw_growth
    except ImportError:
        say("no plot without matplotlib: pip install 'distgrad[plot]'")
        return
    draw_growth(result, path)
    print(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure how the time of a step grows.")
    parser.add_argument(
        "curves",
        nargs="*",
        type=one_of(CURVES),
        metavar="CURVE",
        help=f"which (all of them): {', '.join(CURVES)}",
    )
    parser.add_argument("--rounds", type=positive, default=15, help="of all points (15)")
    parser.add_argument("--output", type=Path, default=RESULTS / "growth" / "growth.json")
    return parser


if __name__ == "__main__":
    main()
