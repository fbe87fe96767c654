"""distgrad: `DataParallel.accumulate` over the windows of `GlobalBatches`, as the README shows."""

from typing import Any

import numpy as np

import distgrad as dg
import distgrad.nn.functional as F
from workers.stopwatch import Stopwatch
from workers.workload import LEARNING_RATE, SEED, Workload


def build(workload: Workload) -> dg.nn.Module:
    """Return the model with the initial weights that all libraries start from."""
    layers: list[dg.nn.Module] = []
    for inputs, outputs in zip(workload.layers[:-1], workload.layers[1:], strict=True):
        layers += [dg.nn.Linear(inputs, outputs), dg.nn.ReLU()]
    model = dg.nn.Sequential(*layers[:-1])
    model.load_state_dict({k: dg.from_numpy(v) for k, v in workload.initial_state().items()})
    return model


def main() -> None:
    """Train, measure, report."""
    workload = Workload.from_argument()
    watch = Stopwatch(workload)
    comm = dg.distributed.connect()
    inputs, classes = workload.arrays()
    data = dg.data.TensorDataset(x=inputs, y=classes)
    windows = dg.data.GlobalBatches(data, workload.global_batch, workload.micro_batch, seed=SEED)
    model = dg.distributed.DataParallel(build(workload), comm)
    optimizer = dg.optim.AdamW(model.parameters(), lr=LEARNING_RATE)

    def loss(batch: Any) -> tuple[dg.Tensor, int]:
        return F.cross_entropy(model(batch.x), batch.y, reduction="sum"), len(batch.y)

    losses: list[float] = []
    while watch.running:
        for window in windows:
            result = model.accumulate(loss, window)
            if result.finite:
                optimizer.step()
            losses.append(result.loss)
            watch.step_done()
            if not watch.running:
                break
    watch.report(comm.rank, losses, _versions(comm.library))


def _versions(mpi: str) -> dict[str, Any]:
    from distgrad.backend.threads import blas_libraries

    return {
        "distgrad": dg.__version__,
        "numpy": np.__version__,
        "blas": sorted(blas_libraries()),
        "mpi": mpi,
    }


if __name__ == "__main__":
    main()
