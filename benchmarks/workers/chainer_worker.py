"""ChainerMN on NumPy, with the communicator that it has for CPUs.

Chainer checks no types here, and its gradients add up over the micro-batches of a step.
"""

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from workers.mpi import connect, library, mean_over_ranks
from workers.stopwatch import Stopwatch
from workers.workload import BETAS, EPS, LEARNING_RATE, WEIGHT_DECAY, Workload

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it lacks for GPUs, and of a Python it did not know
    import chainer
    import chainer.functions as F

chainer.config.type_check = False


class Model(chainer.Link):
    """Parameters under their own names, and the function of them that is trained."""

    def __init__(self, workload: Workload) -> None:
        super().__init__()
        self._function = workload.function("chainer")
        self.named = {}
        with self.init_scope():
            for name, value in workload.values().items():
                self.named[name] = chainer.Parameter(value)
                setattr(self, name.replace(".", "_"), self.named[name])

    def forward(self, x: Any) -> Any:
        """Return the scores."""
        return self._function(self.named, x)


def mean_loss(kind: str, scores: Any, targets: Any) -> Any:
    """Return the loss of a micro-batch."""
    if kind == "mean_squared_error":
        return F.mean_squared_error(scores, targets)
    if targets.ndim > 1:
        scores, targets = scores.reshape(targets.size, -1), targets.reshape(-1)
    return F.softmax_cross_entropy(scores, targets)


def training(workload: Workload, comm: Any, rank: int) -> Iterator[Any]:
    """Train without end, and yield this rank's mean loss of each step."""
    inputs, targets = workload.arrays()
    targets = targets.astype(np.int32) if targets.dtype == np.int64 else targets
    model = Model(workload)
    optimizer = chainer.optimizers.AdamW(LEARNING_RATE, *BETAS)
    optimizer.setup(model)
    optimizer.hyperparam.weight_decay_rate = LEARNING_RATE * WEIGHT_DECAY
    communicator = _communicator(comm)
    for step, indices in enumerate(workload.indices(rank), 1):
        model.cleargrads()
        losses = []
        for rows in indices:
            loss = mean_loss(workload.loss, model(inputs[rows]), targets[rows]) / len(indices)
            loss.backward()
            losses.append(loss.array)
        if communicator is not None:
            communicator.multi_node_mean_grad(model)
        # Its epsilon is added before the second moment is scaled up, that of the others after.
        optimizer.hyperparam.eps = EPS * math.sqrt(1 - BETAS[1] ** step)
        optimizer.update()
        yield sum(losses)


def _communicator(comm: Any) -> Any:
    if comm is None:
        return None
    import chainermn

    return chainermn.create_communicator("naive", comm)


def main() -> None:
    """Train, measure, report."""
    workload = Workload.from_argument()
    watch = Stopwatch(workload)
    comm, rank = connect(workload)
    steps = training(workload, comm, rank)
    losses = []
    while watch.running:
        losses.append(next(steps))
        watch.step_done()
    versions = {
        "chainer": chainer.__version__,
        "mpi": library(comm),
        "numpy": np.__version__,
    }
    watch.report(rank, mean_over_ranks(comm, losses), versions)


if __name__ == "__main__":
    main()
