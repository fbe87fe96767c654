"""Training with sharded and with plain optimizers, alike but for that."""

from itertools import chain

import numpy as np
from helpers.data_parallel import classification_loss, classifier, ragged_data, weights

import distgrad as dg
from distgrad.distributed import DataParallel, ShardedOptimizer

SMALL, LARGE = 8, 30_000
"""Hidden units: below one block of 64K parameters, so that rank 0 owns all; and 4.6 blocks."""

OPTIMIZERS = {
    "sgd": (dg.optim.SGD, {"lr": 0.05}),
    "sgd-decay-maximize": (dg.optim.SGD, {"lr": 1e-4, "weight_decay": 0.1, "maximize": True}),
    "momentum": (dg.optim.SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.5}),
    "nesterov": (dg.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "adagrad": (dg.optim.Adagrad, {"lr": 0.01, "lr_decay": 0.1, "weight_decay": 0.01}),
    "adagrad-initial": (dg.optim.Adagrad, {"initial_accumulator_value": 0.1, "maximize": True}),
    "adam": (dg.optim.Adam, {"lr": 0.01, "betas": (0.8, 0.99), "weight_decay": 0.1}),
    "amsgrad": (dg.optim.Adam, {"lr": 0.01, "amsgrad": True}),
    "adamw": (dg.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    "adamw-amsgrad-maximize": (dg.optim.AdamW, {"lr": 1e-4, "amsgrad": True, "maximize": True}),
    "adadelta": (dg.optim.Adadelta, {"lr": 0.5, "weight_decay": 0.01}),
    "adamax": (dg.optim.Adamax, {"lr": 0.01}),
    "lamb": (dg.optim.LAMB, {"lr": 0.01}),
    "lars": (dg.optim.LARS, {"lr": 1.0, "weight_decay": 0.01, "trust_coefficient": 0.01}),
    "lion": (dg.optim.Lion, {"lr": 1e-3, "weight_decay": 0.1}),
    "nadam": (dg.optim.NAdam, {"lr": 0.01, "weight_decay": 0.1}),
    "radam": (dg.optim.RAdam, {"lr": 0.01, "betas": (0.9, 0.9)}),
    "rmsprop": (dg.optim.RMSprop, {"lr": 0.01, "centered": True, "momentum": 0.5}),
}


def groups_by_ndim(model):
    """Two groups; the second has options of its own, and names only the first's are given."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": matrices}, {"params": vectors, "weight_decay": 0.0, "lr": 0.02}]


def optimizer_of(model, kind, reduction, groups=groups_by_ndim):
    """The optimizer that belongs to the reduction."""
    optimizer_class, options = OPTIMIZERS[kind]
    params = groups(model)
    if reduction == "sharded":
        return ShardedOptimizer(model, optimizer_class, params, **options)
    return optimizer_class(params, **options)


class Run:
    """A model of `classifier`, with dropout, and its optimizer and schedule."""

    def __init__(self, comm, reduction, kind="adamw", hidden=SMALL):
        self.model = DataParallel(classifier(0.3, hidden=hidden), comm, reduction)
        self.optimizer = optimizer_of(self.model, kind, reduction)
        self.scheduler = dg.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, T_max=5)
        self.windows = dg.data.GlobalBatches(ragged_data(40), 18, 4, seed=3)
        self.history = []

    def train(self, epochs=1, max_norm=0.5):
        """Windows of 5, 5 and 1 micro-batches: uneven shares, and ranks that have none."""
        for window in chain.from_iterable(self.windows for _ in range(epochs)):
            result = self.model.accumulate(classification_loss(self.model), window)
            norm = self.model.clip_grad_norm_(max_norm)
            self.optimizer.step()
            self.scheduler.step()
            self.history.append((result, norm, self.scheduler.get_last_lr()))
        return self

    def outcome(self):
        """The bits of the weights, what each step said, and the state; collective if sharded."""
        return weights(self.model), self.history, state_bits(self.optimizer.state_dict())


def state_bits(state):
    """What a state dict of an optimizer says, comparable; collective where it is sharded."""
    return {
        "state": {
            number: {
                name: (value.shape, value.dtype.name, value.data.tobytes())
                if isinstance(value, dg.Tensor)
                else value
                for name, value in values.items()
            }
            for number, values in state["state"].items()
        },
        "param_groups": state["param_groups"],
    }


def mean_gradients(model):
    """The gradients of all parameters, of whatever reduction; collective where it is sharded."""
    shard = model._replica.shard
    present = [p for p in model.parameters() if p.grad is not None]
    if shard is None:
        return [p.grad.data.copy() for p in present]
    whole = shard.gathered({p: shard.pieces[p].gradient.data for p in present})
    return [whole[p] for p in present]


def state_elements(optimizer):
    """How many elements this rank remembers."""
    values = chain.from_iterable(values.values() for values in optimizer.state.values())
    return sum(value.numel() for value in values if isinstance(value, dg.Tensor))


def once(comm, work):
    """What ``work`` returns on rank 0, on all ranks: they share the cores of this machine."""
    return comm.all_gather_object(work() if comm.rank == 0 else None)[0]


def same_arrays(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
