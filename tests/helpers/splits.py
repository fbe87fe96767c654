"""Small runs of every kind, as a program: each prints the hash of its weights for one split.

    mpirun -n 3 python splits.py even

The argument says how the micro-batches of a window are divided among the ranks; see `DIVISIONS`.
"""

import json
import random
import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
from helpers.resuming import CNN, variant

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn
from distgrad.distributed import Communicator, DataParallel, ShardedOptimizer, connect
from distgrad.distributed.data_parallel import accumulation
from distgrad.distributed.tree import contiguous_ranges
from distgrad.training import Trainer
from distgrad.training.weights import weights_sha256

REDUCTIONS = ("tree", "sharded")


def _from_bounds(bounds: list[int]) -> list[range]:
    return [range(*pair) for pair in pairwise(bounds)]


def _first_takes_most(count: int, ranks: int) -> list[range]:
    bounds = [0, *range(count - ranks + 1, count + 1)] if count >= ranks else [0] + [count] * ranks
    return _from_bounds(bounds)


def _last_takes_most(count: int, ranks: int) -> list[range]:
    bounds = [*range(ranks), count] if count >= ranks else [0] * ranks + [count]
    return _from_bounds(bounds)


def _at_random(count: int, ranks: int) -> list[range]:
    """Any cut, of which some ranks may have nothing."""
    generator = random.Random(1000 * count + ranks)
    return _from_bounds([0, *sorted(generator.choices(range(count + 1), k=ranks - 1)), count])


DIVISIONS: dict[str, Callable[[int, int], list[range]]] = {
    "even": contiguous_ranges,
    "first": _first_takes_most,
    "last": _last_takes_most,
    "random": _at_random,
}

SPLITS = [
    *((ranks, "even") for ranks in (1, 2, 3, 4, 5, 7)),
    *((2, division) for division in ("first", "last")),
    *((3, division) for division in ("first", "random")),
    *((4, division) for division in ("last", "random")),
]
"""12 ways to divide the same work."""


class Parts(nn.Module):
    """Over several blocks of memory: a frozen layer, and one that few micro-batches use."""

    def __init__(self):
        super().__init__()
        self.wide = nn.Linear(64, 1500)
        self.frozen = nn.Linear(1500, 60).requires_grad_(False)
        self.rare = nn.Linear(60, 60)
        self.never = nn.Linear(3, 3)
        self.out = nn.Linear(60, 10)

    def forward(self, x, rarely=False):
        hidden = F.dropout(F.relu(self.wide(x)), 0.2, self.training)
        hidden = F.relu(self.frozen(hidden))
        return self.out(self.rare(hidden) if rarely else hidden)


def in_parts(comm: Communicator, reduction: str) -> str:
    """Several losses, a penalty, two optimizers, groups, and parameters that join late."""
    dg.manual_seed(4)
    module = Parts()
    model = DataParallel(module, comm, reduction)
    generator = np.random.default_rng(7)
    labels = generator.integers(10, size=90)
    labels[generator.random(90) < 0.3] = -100
    data = dg.data.TensorDataset(
        x=generator.random((90, 64), dtype=np.float32),
        y=labels,
        weight=generator.random(90, dtype=np.float32),
    )

    def optimizer(kind, groups, **options):
        if reduction == "sharded":
            return ShardedOptimizer(model, kind, groups, **options)
        return kind(groups, **options)

    decayed = {"params": [module.wide.weight, module.rare.weight], "weight_decay": 0.1}
    first = optimizer(dg.optim.Adam, [decayed, {"params": [module.wide.bias]}], lr=1e-2)
    second = optimizer(dg.optim.SGD, list(module.out.parameters()), lr=0.1, momentum=0.9)
    schedule = dg.optim.lr_scheduler.CosineAnnealingLR(first, 8)

    def loss(batch):
        output = model(batch.x, rarely=bool(batch.weight.numpy()[0] > 0.8))
        return {
            "labels": F.cross_entropy(output, batch.y, reduction="sum"),
            "weighted": ((output**2).mean(1) * batch.weight).sum(),
        }

    def counts(batch):
        counted = int((batch.y.numpy() >= 0).sum())
        return {"labels": counted, "weighted": float(batch.weight.numpy().sum(dtype=np.float64))}

    def penalty():
        return 1e-3 * (module.out.weight**2).sum()

    windows = dg.data.GlobalBatches(data, 38, 5, seed=3)
    for epoch in range(3):
        if epoch == 1:
            module.frozen.requires_grad_(True)
            first.add_param_group({"params": list(module.frozen.parameters()), "lr": 1e-3})
        for window in windows:
            assert model.accumulate(loss, window, counts=counts, penalty=penalty).finite
            model.clip_grad_norm_(0.5)
            first.step()
            second.step()
            schedule.step()
    return weights_sha256(module)


OPTIMIZERS = {
    "adadelta": dg.optim.Adadelta,
    "adagrad": dg.optim.Adagrad,
    "adam": dg.optim.Adam,
    "adamax": dg.optim.Adamax,
    "adamw": dg.optim.AdamW,
    "lamb": dg.optim.LAMB,
    "lars": dg.optim.LARS,
    "lion": dg.optim.Lion,
    "nadam": dg.optim.NAdam,
    "radam": dg.optim.RAdam,
    "rmsprop": dg.optim.RMSprop,
    "sgd": partial(dg.optim.SGD, momentum=0.9),
}


def with_optimizer(comm: Communicator, reduction: str, kind: str, device: str = "cpu") -> str:
    """Steps of one optimizer, over two blocks of memory: slices begin within a parameter."""
    dg.manual_seed(4)
    module = nn.Sequential(nn.Linear(48, 1500), nn.Tanh(), nn.Linear(1500, 2)).to(device)
    model = DataParallel(module, comm, reduction)
    make, options = OPTIMIZERS[kind], {"lr": 1e-2, "weight_decay": 1e-2}
    if reduction == "sharded":
        optimizer = ShardedOptimizer(model, make, **options)
    else:
        optimizer = make(model.parameters(), **options)
    x = np.random.default_rng(7).random((26, 48), dtype=np.float32)

    def loss(batch):
        return F.mse_loss(model(batch.x), batch.x[:, :2], reduction="sum"), 2 * len(batch.x)

    windows = dg.data.GlobalBatches(dg.data.TensorDataset(x=x), 13, 2, seed=3)
    for window in dg.data.on_device(windows, device):
        assert model.accumulate(loss, window).finite
        optimizer.step()
    return weights_sha256(module)


CONFIGURED = {
    "perceptron": [
        "scheduler={name = 'warmup_cosine', warmup_steps = 2}",
        "training.clip_grad_norm=0.5",
        "training.weight_decay_on=matrices",
    ],
    "convolution": [
        *CNN,
        "optimizer={name = 'sgd', lr = 0.05, momentum = 0.9, nesterov = true}",
        "data.augment=[{name = 'random_horizontal_flip'}, "
        "{name = 'random_crop', size = 4, padding = 1}]",
    ],
    "transformer": [
        "model={name = 'gpt', layers = 2, width = 32, heads = 2, dropout = 0.1}",
        "data.source={name = 'text', context = 16, stride = 900}",
        "data.global_batch_size=36",
        "data.micro_batch_size=5",
        "training.loss=next_token",
        "training.max_steps=6",
        "training.clip_grad_norm=1.0",
    ],
    "recurrent": [
        "model={name = 'helpers.sequences:Summing'}",
        "data.source={name = 'helpers.sequences:sequences'}",
        "training.clip_grad_norm=0.5",
    ],
    "wide": [
        "model.sizes=[1, 700, 300, 1]",
        "optimizer={name = 'adagrad', lr = 0.01}",
        "scheduler={name = 'reduce_on_plateau', patience = 0, threshold = 0.5}",
        "data.micro_batch_size=5",
    ],
}


def hashes(comm: Communicator) -> dict[str, str]:
    """The hash of each run with each reduction."""
    found = {}
    for reduction in REDUCTIONS:
        for name, assignments in CONFIGURED.items():
            changes = *assignments, f"distributed.reduction={reduction}"
            trainer = Trainer(variant("adamw", *changes), comm)
            for _ in trainer.steps():
                pass
            found[f"{name} {reduction}"] = weights_sha256(trainer.model.module)
        found[f"parts {reduction}"] = in_parts(comm, reduction)
        for kind in OPTIMIZERS:
            found[f"{kind} {reduction}"] = with_optimizer(comm, reduction, kind)
    return found


if __name__ == "__main__":
    accumulation.contiguous_ranges = DIVISIONS[sys.argv[1]]
    communicator = connect()
    own = hashes(communicator)
    everyone = communicator.all_gather_object(own)
    if communicator.rank == 0:
        assert everyone == [own] * communicator.size, "the ranks differ"
        print(json.dumps(own))
