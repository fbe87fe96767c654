"""Sharded training gives the bits of one process with the plain optimizer."""

import math
from copy import deepcopy

import numpy as np
import pytest
from helpers.data_parallel import Pieces, classifier, weights
from helpers.sharding import (
    LARGE,
    OPTIMIZERS,
    SMALL,
    Run,
    mean_gradients,
    once,
    optimizer_of,
    same_arrays,
    state_bits,
    state_elements,
)

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel, ShardedOptimizer
from distgrad.distributed.reduction import REDUCTIONS
from distgrad.errors import TrainingError
from distgrad.flat import BLOCK

pytestmark = pytest.mark.mpi


@pytest.mark.parametrize("hidden", [SMALL, LARGE])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_training_gives_the_bits_of_one_process(comm, alone, kind, hidden):
    found = Run(comm, "sharded", kind, hidden).train().outcome()
    assert found == once(comm, lambda: Run(alone, "tree", kind, hidden).train().outcome())


def test_training_gives_the_bits_of_the_tree_and_of_all_ranks(comm):
    sharded, tree = (
        Run(comm, reduction, hidden=LARGE).train(2).outcome() for reduction in ("sharded", "tree")
    )
    assert sharded == tree
    assert len(set(comm.all_gather_object(repr(sharded)))) == 1


def test_the_state_is_divided_among_the_ranks(comm):
    run = Run(comm, "sharded", hidden=LARGE).train()
    sizes = comm.all_gather_object(state_elements(run.optimizer))
    layout = run.model._replica.layout
    blocks = -(-layout.size // BLOCK)
    assert sum(sizes) == 2 * sum(segment.size for segment in layout)
    assert max(sizes) <= 2 * -(-blocks // comm.size) * BLOCK
    assert min(sizes) > 0
    assert run.model._replica.shard.gradient.size <= -(-blocks // comm.size) * BLOCK


def test_of_a_small_model_the_first_rank_has_the_whole_state(comm):
    run = Run(comm, "sharded", hidden=SMALL).train()
    sizes = comm.all_gather_object(state_elements(run.optimizer))
    assert sizes == [2 * sum(p.numel() for p in run.model.parameters())] + [0] * (comm.size - 1)


# What a state is moved between: the sharded optimizer on all ranks, on some of them, on one, and
# the plain one.
@pytest.fixture
def places(comm, half, alone):
    return {
        "all": lambda kind: Run(comm, "sharded", kind, LARGE),
        "half": lambda kind: Run(half, "sharded", kind, LARGE),
        "one": lambda kind: Run(alone, "sharded", kind, LARGE),
        "plain": lambda kind: Run(alone, "tree", kind, LARGE),
    }


@pytest.mark.parametrize("kind", ["momentum", "amsgrad", "nadam", "lamb"])
@pytest.mark.parametrize(
    ("before", "after"),
    [("all", "half"), ("all", "one"), ("all", "plain"), ("half", "all"), ("plain", "all")],
)
def test_a_state_goes_on_under_another_number_of_ranks(comm, places, kind, before, after):
    expected = once(comm, lambda: places["plain"](kind).train(3).outcome())
    first = places[before](kind).train(1)
    state = deepcopy(first.optimizer.state_dict())
    second = places[after](kind)
    second.model.module.load_state_dict(first.model.state_dict())
    second.optimizer.load_state_dict(state)
    second.scheduler.load_state_dict(first.scheduler.state_dict())
    second.windows.set_epoch(1)
    second.history = first.history
    assert second.train(2).outcome() == expected


def train_parts(comm, reduction, uses, frozen=()):
    """Train parameters that `uses` says of (step, micro-batch, parameter) whether they are used."""
    module = nn.Module()
    dg.manual_seed(1)
    for number, size in enumerate([70_000, 50, 66_000, 140_000, 3]):
        parameter = nn.Parameter(dg.randn(size), requires_grad=number not in frozen)
        module.register_parameter(f"p{number}", parameter)
    model = DataParallel(module, comm, reduction)
    optimizer = optimizer_of(model, "adam", reduction, groups=lambda model: model.parameters())
    for step in range(4):

        def loss(micro_batch, step=step):
            total = dg.zeros(())
            for number, parameter in enumerate(model.parameters()):
                if uses(step, micro_batch, number):
                    total = total + (parameter * dg.randn(*parameter.shape)).sum()
            return total, 2

        assert model.accumulate(loss, Pieces(range(5), step=step)).finite
        model.clip_grad_norm_(1.0)
        optimizer.step()
        for parameter in model.parameters():
            parameter.requires_grad_(True)
    versions = [parameter.version.number for parameter in model.parameters()]
    return weights(model), state_bits(optimizer.state_dict()), versions


# The last parameter is never used; the others by some micro-batches, in some steps, or always.
USES = {
    "by some micro-batches": lambda step, micro_batch, number: (
        number < 4 and micro_batch % (number + 1) == number
    ),
    "in some steps": lambda step, micro_batch, number: number < 4 and step % 2 == number % 2,
}


@pytest.mark.parametrize("uses", USES.values(), ids=USES)
@pytest.mark.parametrize("frozen", [(), (2, 3)])
def test_parameters_without_a_gradient_are_left_as_they_are(comm, alone, uses, frozen):
    found = train_parts(comm, "sharded", uses, frozen)
    assert found == once(comm, lambda: train_parts(alone, "tree", uses, frozen))


def parts_of_several_blocks(comm, reduction, exact=False):
    """A step after which parameters of several blocks, and a small one, have gradients."""
    module = nn.Module()
    for number, shape in enumerate([(5,), (300, 1000), (7,), (90_000,)]):
        module.register_parameter(f"p{number}", nn.Parameter(dg.zeros(shape)))
    model = DataParallel(module, comm, reduction)

    def loss(micro_batch):
        total = dg.zeros(())
        for parameter in list(model.parameters())[:-1]:
            factor = dg.randn(*parameter.shape)
            if exact:  # so that no order of the sum rounds
                factor = dg.Tensor(np.round(factor.data * 8))
            total = total + (parameter * factor).sum()
        return total, 4 if exact else 3

    assert model.accumulate(loss, Pieces(range(4), step=1)).finite
    return model


def clipped(comm, reduction, exact, max_norm, order):
    model = parts_of_several_blocks(comm, reduction, exact)
    return model.clip_grad_norm_(max_norm, order), mean_gradients(model)


@pytest.mark.parametrize(
    ("order", "max_norm"),
    [(0.5, 1.0), (1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (math.inf, 1.0), (2.0, 1e9), (2.0, math.inf)],
)
def test_clipping_gives_the_same_bits_wherever_slices_lie(comm, alone, order, max_norm):
    norm, arrays = once(comm, lambda: clipped(alone, "tree", False, max_norm, order))
    for reduction in ("sharded", "tree"):
        found, found_arrays = clipped(comm, reduction, False, max_norm, order)
        assert found == norm
        same_arrays(found_arrays, arrays)
    if max_norm > 1:
        flat = np.concatenate([array.reshape(-1) for array in arrays]).astype(np.float64)
        assert norm == pytest.approx(np.linalg.norm(flat, order), rel=1e-12)


def test_clipping_gives_the_same_bits_under_every_reduction(comm, alone):
    norm, arrays = once(comm, lambda: clipped(alone, "tree", True, 1.0, 2.0))
    for reduction in REDUCTIONS:
        found, found_arrays = clipped(comm, reduction, True, 1.0, 2.0)
        assert found == norm
        same_arrays(found_arrays, arrays)


@pytest.mark.parametrize("place", [(0, 0), (-1, -1)])
def test_not_finite_in_one_slice_is_told_to_all(comm, place):
    model = DataParallel(nn.Linear(BLOCK, 4, bias=False), comm, "sharded")
    with dg.no_grad():
        model.module.weight.zero_()
    for factor, finite in ((1e36, True), (3e38, False)):  # the sum over micro-batches overflows
        factors = dg.zeros(4, BLOCK)
        factors[place] = factor
        result = model.accumulate(
            lambda x: ((model.module.weight * x).sum(), 1), Pieces([factors] * 8)
        )
        assert result.loss == 0.0
        assert comm.all_gather_object(result.finite) == [finite] * comm.size


def test_evaluation_and_weights_are_those_after_each_step(comm, alone):
    runs = [Run(comm, "sharded", hidden=LARGE), Run(alone, "tree", hidden=LARGE)]
    data = dg.data.TensorDataset(x=np.random.default_rng(0).random((7, 6), np.float32))
    for _ in range(2):
        first, second = (
            run.train().model.evaluate(
                lambda batch, run=run: {"sum": (run.model(batch.x).sum(), len(batch.x))}, data, 2
            )
            for run in runs
        )
        assert first == second


def test_own_loops_reduce_to_slices(comm, alone):
    found, expected = [], []
    for ranks, reduction, result in ((comm, "sharded", found), (comm, "tree", expected)):
        model = DataParallel(classifier(hidden=LARGE), ranks, reduction)
        optimizer = optimizer_of(model, "momentum", reduction)
        for _ in range(3):
            for number in range(ranks.rank, 3, ranks.size):
                model.backward(model(dg.full((2, 6), number + 1.0)).sum(), 2)
            result.append(model.reduce())
            result.append(model.clip_grad_norm_(0.1))
            optimizer.step()
        result.append(weights(model))
    assert found == expected


def test_backward_averages_to_slices(comm):
    found = {}
    for reduction in ("sharded", "tree"):
        model = DataParallel(classifier(hidden=LARGE), comm, reduction)
        optimizer = optimizer_of(model, "adamw", reduction)
        for _ in range(3):
            optimizer.zero_grad()
            with model.no_sync():
                model(dg.full((2, 6), comm.rank + 1.0)).mean().backward()
            model(dg.full((1, 6), comm.rank + 2.0)).mean().backward()
            model.clip_grad_norm_(0.1)
            optimizer.step()
        found[reduction] = weights(model)
    assert found["sharded"] == found["tree"]


def test_penalties_and_several_losses(comm, alone):
    found = []
    for ranks, reduction in ((comm, "sharded"), (alone, "tree")):
        model = DataParallel(classifier(hidden=LARGE), ranks, reduction)
        optimizer = optimizer_of(model, "adamw", reduction)
        for step in range(2):
            result = model.accumulate(
                lambda x, model=model: {"a": model(x).sum(), "b": model(x).mean()},
                Pieces([dg.full((2, 6), 1.0 + m) for m in range(5)], step=step),
                counts=lambda x: {"a": 2, "b": 1},
                penalty=lambda model=model: (model.module[0].weight ** 2).sum(),
            )
            norm = model.clip_grad_norm_(1.0)
            optimizer.step()
            found.append((result, norm, weights(model)))
    assert found[:2] == found[2:]


CALLS = {
    "state_dict of ShardedOptimizer": lambda model, optimizer: optimizer.state_dict(),
    "step of ShardedOptimizer": lambda model, optimizer: optimizer.step(),
    "clip_grad_norm_": lambda model, optimizer: model.clip_grad_norm_(1.0),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_one_rank_does_alone_is_told_to_all(comm, call):
    model = DataParallel(classifier(), comm, "sharded")
    optimizer = ShardedOptimizer(model, dg.optim.SGD, lr=0.1, momentum=0.5)

    def accumulate():
        return model.accumulate(lambda x: (model(x).sum(), 1), Pieces([dg.ones(1, 6)]))

    accumulate()
    if comm.size == 1:
        CALLS[call](model, optimizer)
        return
    before = weights(model)
    with pytest.raises(TrainingError) as caught:
        CALLS[call](model, optimizer) if comm.rank == 0 else accumulate()
    assert f"the ranks are out of step (rank 0: {call}; rank 1" in str(caught.value)
    assert weights(model) == before
    assert accumulate().finite
