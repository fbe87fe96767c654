"""distgrad: `DataParallel.accumulate` over the windows of `GlobalBatches`, as the README shows."""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

import distgrad as dg
import distgrad.nn.functional as F
from workers.stopwatch import Stopwatch
from workers.workload import LEARNING_RATE, SEED, Workload


def training(
    workload: Workload, comm: Any, reduction: str = "tree", **options: Any
) -> Iterator[float]:
    """Train without end, and yield the mean loss of each step."""
    inputs, targets = workload.arrays()
    data = dg.data.TensorDataset(x=inputs, y=targets)
    windows = dg.data.GlobalBatches(data, workload.global_batch, workload.micro_batch, seed=SEED)
    module = workload.build("distgrad", dg.from_numpy)
    model = dg.distributed.DataParallel(module, comm, reduction, **options)
    optimizer = (
        dg.distributed.ShardedOptimizer(model, dg.optim.AdamW, lr=LEARNING_RATE)
        if reduction == "sharded"
        else dg.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    )
    summed = LOSSES[workload.loss]

    def loss(batch: Any) -> tuple[dg.Tensor, int]:
        return summed(model(batch.x), batch.y)

    while True:
        for window in windows:
            result = model.accumulate(loss, window)
            if result.finite:
                optimizer.step()
            yield result.loss


def cross_entropy(scores: dg.Tensor, targets: dg.Tensor) -> tuple[dg.Tensor, int]:
    """Return the sum of the losses, and how many they are."""
    if targets.ndim > 1:
        scores, targets = scores.reshape(-1, scores.shape[-1]), targets.reshape(-1)
    return F.cross_entropy(scores, targets, reduction="sum"), len(targets)


def mean_squared_error(scores: dg.Tensor, targets: dg.Tensor) -> tuple[dg.Tensor, int]:
    """Return the sum of the losses, and how many they are."""
    return F.mse_loss(scores, targets, reduction="sum"), targets.numel()


LOSSES = {"cross_entropy": cross_entropy, "mean_squared_error": mean_squared_error}


def versions(mpi: str) -> dict[str, Any]:
    """Return what was measured, built upon what."""
    from distgrad.backend.threads import blas_libraries

    return {
        "distgrad": dg.__version__,
        "numpy": np.__version__,
        "kernels": _kernels(),
        "blas": sorted(blas_libraries()),
        "mpi": mpi,
    }


def _kernels() -> str:
    try:
        from distgrad.backend.kernels import kernels_in_use
    except ImportError:  # a commit from before there were several, measured by regress.py
        return "numpy"
    return kernels_in_use()


def main() -> None:
    """Train, measure, report."""
    workload = Workload.from_argument()
    watch = Stopwatch(workload)
    comm = dg.distributed.connect()
    reduction, *options = sys.argv[2:] or ["tree"]
    steps = training(workload, comm, reduction, **dict.fromkeys(options, True))
    losses: list[float] = []
    while watch.running:
        losses.append(next(steps))
        watch.step_done()
    watch.report(comm.rank, losses, versions(comm.library))


if __name__ == "__main__":
    main()
