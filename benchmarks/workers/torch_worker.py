"""PyTorch at its best: DDP over gloo where there are ranks, the bare module in one process.

With the argument ``--channels-last`` images and the weights of convolutions lie in that order.

Fused AdamW; gradients are views of the buckets; only the last micro-batch of a step reduces; the
losses stay tensors until the clock has stopped, where distgrad exchanges them in every step.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

from workers.stopwatch import Stopwatch
from workers.workload import LEARNING_RATE, Workload

Batch = tuple[torch.Tensor, torch.Tensor]


def build(workload: Workload, memory_format: torch.memory_format) -> torch.nn.Module:
    """Return the model, averaging its gradients over the ranks where there are several."""
    model: torch.nn.Module = workload.build("torch", torch.from_numpy).to(
        memory_format=memory_format
    )
    if workload.ranks == 1:
        return model
    return DistributedDataParallel(model, gradient_as_bucket_view=True)


def steps(
    workload: Workload, rank: int, memory_format: torch.memory_format
) -> Iterator[list[Batch]]:
    """Yield the micro-batches of this rank, optimizer step by optimizer step, without end."""
    inputs, targets = map(torch.from_numpy, workload.arrays())
    size, share = workload.micro_batch, workload.micro_batch * workload.micro_batches
    epoch = 0
    while True:
        order = torch.from_numpy(workload.order(epoch))
        for start in range(rank * share, workload.samples, workload.global_batch):
            parts = order[start : start + share].split(size)
            yield [
                (inputs[part].contiguous(memory_format=memory_format), targets[part])
                for part in parts
            ]
        epoch += 1


def train_step(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer, batches: list[Batch]
) -> torch.Tensor:
    """Accumulate over the micro-batches, step, and return this rank's mean loss."""
    optimizer.zero_grad(set_to_none=True)
    losses = []
    for index, (x, y) in enumerate(batches):
        silent = index + 1 < len(batches) and isinstance(model, DistributedDataParallel)
        with model.no_sync() if silent else nullcontext():
            loss = F.cross_entropy(model(x).flatten(0, -2), y.flatten()) / len(batches)
            loss.backward()
        losses.append(loss.detach())
    optimizer.step()
    return torch.stack(losses).sum()


def main() -> None:
    """Train, measure, report."""
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    workload = Workload.from_argument()
    watch = Stopwatch(workload)
    rank = int(os.environ["RANK"])
    if workload.ranks > 1:
        store = Path(workload.report, "store").as_uri()
        dist.init_process_group("gloo", store, rank=rank, world_size=workload.ranks)
    channels_last = "--channels-last" in sys.argv[2:]
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    model = build(workload, memory_format)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, fused=True)
    batches = steps(workload, rank, memory_format)
    losses = []
    while watch.running:
        losses.append(train_step(model, optimizer, next(batches)))
        watch.step_done()
    mean = torch.stack(losses) / workload.ranks
    if workload.ranks > 1:
        dist.all_reduce(mean)
    watch.report(rank, mean.tolist(), {"torch": torch.__version__, "blas": _blas()})
    # An orderly end now and then dies of gloo's threads ("terminate called without an active
    # exception"), with and without destroy_process_group.
    os._exit(0)


def _blas() -> list[str]:
    shown = [line.strip(" -") for line in torch.__config__.show().splitlines()]
    return [line.partition("-Product")[0] for line in shown if "Math Kernel Library" in line]


if __name__ == "__main__":
    main()
