"""Accelerate: the loop of its documentation, around the same model, data and fused AdamW.

Gradients are views of DDP's buckets, and the batches are cut by hand, which is faster than its data
loader.
"""

import os
import sys
from collections.abc import Iterator

import accelerate
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs

from workers.torch_worker import build, chosen_format, connect, mean_loss, measure, steps
from workers.workload import LEARNING_RATE, Workload


def training(
    workload: Workload, rank: int, memory_format: torch.memory_format
) -> Iterator[torch.Tensor]:
    """Train without end, and yield this rank's mean loss of each step."""
    accelerator = Accelerator(
        cpu=True,
        gradient_accumulation_steps=workload.micro_batches,
        kwargs_handlers=[DistributedDataParallelKwargs(gradient_as_bucket_view=True)],
    )
    bare = build(workload, memory_format)
    optimizer = torch.optim.AdamW(bare.parameters(), lr=LEARNING_RATE, fused=True)
    model, optimizer = accelerator.prepare(bare, optimizer)
    for batches in steps(workload, rank, memory_format):
        losses = []
        for x, y in batches:
            with accelerator.accumulate(model):
                loss = mean_loss(workload, model(x), y)
                accelerator.backward(loss)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            losses.append(loss.detach())
        yield torch.stack(losses).mean()


def main() -> None:
    """Train, measure, report."""
    workload = Workload.from_argument()
    rank = int(os.environ["RANK"])
    connect(workload, rank)
    versions = {"accelerate": accelerate.__version__}
    measure(workload, rank, training(workload, rank, chosen_format(sys.argv[2:])), versions)


if __name__ == "__main__":
    main()
