"""Running statistics under accumulation, on one process."""

import numpy as np
import pytest
from helpers.data_parallel import Pieces
from helpers.statistics import Normalized, images, normalized_loss, statistics

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.errors import RankError


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def pieces(count=3, size=4):
    rng = np.random.default_rng(0)
    return [rng.standard_normal((size, 2)).astype(np.float32) + n for n in range(count)]


def model_of(*layers):
    return DataParallel(nn.Sequential(nn.Linear(2, 2), *layers), SingleProcess())


def loss_of(model):
    return lambda x: (model(dg.Tensor(x)).sum(), len(x))


@pytest.mark.parametrize("reduction", ["tree", "allreduce"])
def test_they_are_those_of_the_micro_batches_one_after_another(reduction):
    model = DataParallel(Normalized(), SingleProcess(), reduction)
    reference = Normalized()
    for window in dg.data.GlobalBatches(images(), 16, 6, seed=1):
        model.accumulate(normalized_loss(model), window)
        for index in range(len(window)):
            with dg.autograd.random_scope(window.seed, window.step + 1, index):
                normalized_loss(reference)(window.micro_batch(index))
        assert same(statistics(model.module), statistics(reference))
    tracked = {k: v for k, v in statistics(reference).items() if k.endswith("tracked")}
    assert tracked["averaged.num_batches_tracked"] == 8
    assert tracked["twice.num_batches_tracked"] == 16
    assert 0 < tracked["rare.num_batches_tracked"] < 8
    assert "frozen.num_batches_tracked" not in tracked


def test_they_do_not_change_before_the_step_is_done():
    model = model_of(nn.BatchNorm1d(2))
    seen = []

    def loss(x):
        seen.append(statistics(model.module))
        return loss_of(model)(x)

    before = statistics(model.module)
    model.accumulate(loss, Pieces(pieces()))
    assert all(same(state, before) for state in seen)
    assert statistics(model.module)["1.num_batches_tracked"] == 3


def test_a_step_that_is_not_finite_leaves_them_alone():
    model = model_of(nn.BatchNorm1d(2))
    before = statistics(model.module)
    bad = pieces()
    bad[1][0, 0] = np.inf
    assert not model.accumulate(loss_of(model), Pieces(bad)).finite
    assert same(statistics(model.module), before)
    assert not model.accumulate(lambda x: (model(dg.Tensor(x)).sum(), 0), Pieces(pieces())).finite
    assert same(statistics(model.module), before)
    assert model.accumulate(loss_of(model), Pieces(pieces())).finite
    assert statistics(model.module)["1.num_batches_tracked"] == 3


def test_a_step_that_fails_leaves_them_alone():
    model = model_of(nn.BatchNorm1d(2))
    before = statistics(model.module)

    def loss(x):
        total, count = loss_of(model)(x)
        if x[0, 0] > 1:
            raise ZeroDivisionError
        return total, count

    with pytest.raises(RankError):
        model.accumulate(loss, Pieces(pieces()))
    assert same(statistics(model.module), before)
    model(dg.Tensor(pieces()[0]))  # outside accumulate they are PyTorch's again
    assert statistics(model.module)["1.num_batches_tracked"] == 1


def test_a_frozen_layer_stays_as_it_is():
    model = model_of(nn.BatchNorm1d(2))
    model.module[1].eval()
    before = statistics(model.module)
    model.accumulate(loss_of(model), Pieces(pieces()))
    assert same(statistics(model.module), before)


def test_a_layer_that_stands_twice_in_the_model_is_updated_in_the_order_of_its_calls():
    shared = nn.BatchNorm1d(2, momentum=0.5)
    model = model_of(shared, nn.Tanh(), shared)
    reference = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, momentum=0.5), nn.Tanh())
    reference.load_state_dict({k: v for k, v in model.state_dict().items() if k[0] < "2"})
    model.accumulate(loss_of(model), Pieces(pieces()))
    for x in pieces():
        reference[1](reference(dg.Tensor(x)))
    assert statistics(model.module)["1.num_batches_tracked"] == 6
    assert same(statistics(model.module), statistics(reference))


def test_a_layer_of_ones_own():
    class Largest(nn.RunningStatistics):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", dg.zeros(2))

        def forward(self, x):
            if self.training:
                self.observe(x.data.max(axis=0))
            return x

        def update_statistics(self, largest):
            self.seen.copy_(dg.Tensor(2 * self.seen.data + largest))

    model = model_of(Largest())
    reference = nn.Sequential(nn.Linear(2, 2), Largest())
    reference.load_state_dict(model.state_dict())
    model.accumulate(loss_of(model), Pieces(pieces()))
    for x in pieces():
        reference(dg.Tensor(x))
    assert same(statistics(model.module), statistics(reference))
    with pytest.raises(NotImplementedError, match="RunningStatistics does not say how"):
        nn.RunningStatistics().observe(np.zeros(2))


def test_loops_of_ones_own_update_at_once():
    model = model_of(nn.BatchNorm1d(2))
    for number, x in enumerate(pieces()):
        model.backward(*loss_of(model)(x))
        assert statistics(model.module)["1.num_batches_tracked"] == number + 1
    model.reduce()
    with model.no_sync():
        loss_of(model)(pieces()[0])
    assert statistics(model.module)["1.num_batches_tracked"] == 4


def test_evaluation_leaves_them_alone():
    model = DataParallel(Normalized(), SingleProcess())
    (window, *_) = dg.data.GlobalBatches(images(), 16, 4)
    model.accumulate(normalized_loss(model), window)
    before = statistics(model.module)

    def measure(batch):
        total, count = normalized_loss(model)(batch)
        return {"loss": (total.item(), count)}

    model.evaluate(measure, images(), 7)
    assert same(statistics(model.module), before)
