"""PyTorch at its best: DDP over gloo where there are ranks, the bare module in one process.

With the argument ``--channels-last`` images and the weights of convolutions lie in that order; with
``--compile`` the model is compiled.

Fused AdamW; gradients are views of the buckets; only the last micro-batch of a step reduces; the
losses stay tensors until the clock has stopped, where distgrad exchanges them in every step.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

from workers.stopwatch import Stopwatch
from workers.workload import LEARNING_RATE, Workload

Batch = tuple[torch.Tensor, torch.Tensor]


def chosen_format(options: list[str]) -> torch.memory_format:
    """Return how images and the weights of convolutions lie in memory."""
    return torch.channels_last if "--channels-last" in options else torch.contiguous_format


def build(workload: Workload, memory_format: torch.memory_format) -> torch.nn.Module:
    """Return the model."""
    model: torch.nn.Module = workload.build("torch", torch.from_numpy)
    return model.to(memory_format=memory_format)


def distributed(model: torch.nn.Module, workload: Workload) -> torch.nn.Module:
    """Let the model average its gradients over the ranks, where there are several."""
    if workload.ranks == 1:
        return model
    return DistributedDataParallel(model, gradient_as_bucket_view=True)


def connect(workload: Workload, rank: int) -> None:
    """Join the other ranks, where there are several."""
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    if workload.ranks > 1:
        store = Path(workload.report, "store").as_uri()
        dist.init_process_group("gloo", store, rank=rank, world_size=workload.ranks)


def steps(
    workload: Workload, rank: int, memory_format: torch.memory_format
) -> Iterator[list[Batch]]:
    """Yield the micro-batches of this rank, optimizer step by optimizer step, without end."""
    inputs, targets = map(torch.from_numpy, workload.arrays())
    for parts in map(torch.from_numpy, workload.indices(rank)):
        yield [
            (inputs[part].contiguous(memory_format=memory_format), targets[part]) for part in parts
        ]


def mean_loss(workload: Workload, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the loss of a micro-batch."""
    if workload.loss == "mean_squared_error":
        return F.mse_loss(scores, targets)
    return F.cross_entropy(scores.flatten(0, -2), targets.flatten())


def training(workload: Workload, rank: int, options: list[str]) -> Iterator[torch.Tensor]:
    """Train without end, and yield this rank's mean loss of each step."""
    memory_format = chosen_format(options)
    bare = build(workload, memory_format)
    if "--compile" in options:
        # Inside of DDP: it reduces in the hooks of the parameters, without cuts in the graph.
        bare.compile(dynamic=False)
    model = distributed(bare, workload)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, fused=True)
    for batches in steps(workload, rank, memory_format):
        optimizer.zero_grad(set_to_none=True)
        losses = []
        for index, (x, y) in enumerate(batches):
            silent = index + 1 < len(batches) and workload.ranks > 1
            with model.no_sync() if silent else nullcontext():
                loss = mean_loss(workload, model(x), y) / len(batches)
                loss.backward()
            losses.append(loss.detach())
        optimizer.step()
        yield torch.stack(losses).sum()


def measure(workload: Workload, rank: int, steps: Iterator[Any], versions: dict[str, Any]) -> None:
    """Train, report, and end the process.

    Args:
        workload: What is trained.
        rank: Of this process.
        steps: Each one an optimizer step, and its loss on this rank.
        versions: Of what is measured besides torch.
    """
    watch = Stopwatch(workload)
    losses = []
    while watch.running:
        losses.append(next(steps))
        watch.step_done()
    mean = torch.stack(losses) / workload.ranks
    if workload.ranks > 1:
        dist.all_reduce(mean)
    watch.report(rank, mean.tolist(), {"torch": torch.__version__, "blas": _blas(), **versions})
    # An orderly end now and then dies of gloo's threads ("terminate called without an active
    # exception"), with and without destroy_process_group.
    os._exit(0)


def _blas() -> list[str]:
    shown = [line.strip(" -") for line in torch.__config__.show().splitlines()]
    return [line.partition("-Product")[0] for line in shown if "Math Kernel Library" in line]


def main() -> None:
    """Train, measure, report."""
    workload = Workload.from_argument()
    rank = int(os.environ["RANK"])
    connect(workload, rank)
    measure(workload, rank, training(workload, rank, sys.argv[2:]), {})


if __name__ == "__main__":
    main()
