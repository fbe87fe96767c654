"""A model trained on the double with all kernels, as a program: prints the hash of its weights.

    mpirun -n 3 python captured_ranks.py sharded captured

Kernels are run by the emulator, and captured passes and updates by graphs of them; gradients lie in
memory that the ranks see.
"""

import json
import sys

import numpy as np
from helpers.graph_models import MODELS
from helpers.rehearsed_gpu import rehearsed_gpu

import distgrad as dg
from distgrad.backend import arrays_sha256, to_host
from distgrad.distributed import Communicator, DataParallel, ShardedOptimizer, connect
from distgrad.nn import functional as F


class Window:
    """Seven micro-batches, others at each step."""

    seed = 3

    def __init__(self, step: int, tokens: np.ndarray) -> None:
        self.step, self._tokens = step, tokens

    def __len__(self) -> int:
        return 7

    def micro_batch(self, index: int) -> tuple[dg.Tensor, dg.Tensor]:
        tokens = (self._tokens + index + 3 * self.step) % 11
        targets = np.roll(tokens, -1, 1)
        return dg.tensor(tokens).to("cuda:0"), dg.tensor(targets).to("cuda:0")


def trained(comm: Communicator, reduction: str, capture: bool) -> str:
    dg.manual_seed(0)
    module, tokens, _ = MODELS["gpt with dropout"]()
    module.to("cuda:0")
    model = DataParallel(module, comm, reduction, transport="ipc", capture=capture)
    if reduction == "sharded":
        optimizer = ShardedOptimizer(model, dg.optim.AdamW, lr=1e-2)
    else:
        optimizer = dg.optim.AdamW(model.parameters(), lr=1e-2)
    optimizer.capture = capture

    def loss(batch: tuple[dg.Tensor, dg.Tensor]) -> tuple[dg.Tensor, int]:
        scores = model(batch[0]).reshape(-1, 11)
        return F.cross_entropy(scores, batch[1].reshape(-1), reduction="sum"), batch[1].numel()

    for step in range(5):
        assert model.accumulate(loss, Window(step, tokens)).finite
        model.clip_grad_norm_(0.5)
        optimizer.step()
    return arrays_sha256([(name, to_host(p.data)) for name, p in model.named_parameters()])


if __name__ == "__main__":
    communicator = connect(kernels="numpy")
    with rehearsed_gpu() as graphs:
        found = trained(communicator, sys.argv[1], sys.argv[2] == "captured")
        everyone = communicator.all_gather_object((found, graphs.replays))
    if communicator.rank == 0:
        assert {each for each, _ in everyone} == {found}, "the ranks differ"
        print(json.dumps({"hash": found, "replays": [number for _, number in everyone]}))
