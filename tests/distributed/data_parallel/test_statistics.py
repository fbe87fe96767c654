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


class Looked(nn.Module):
    """A table whose rows are scaled when they are looked up."""

    def __init__(self):
        super().__init__()
        dg.manual_seed(3)
        self.table = nn.Embedding(6, 4, max_norm=0.5)

    def forward(self, x):
        return self.table(dg.Tensor(x)) ** 2 * dg.arange(4.0)


ROWS = [np.array([0, 1]), np.array([1, 2, 2]), np.array([4])]


def test_rows_that_are_looked_up_are_scaled_when_the_step_is_done():
    model, reference = DataParallel(Looked(), SingleProcess()), Looked()
    before = model.module.table.weight.data.copy()
    seen = []

    def loss(x):
        seen.append(model.module.table.weight.data.copy())
        return model(x).sum(), 1

    result = model.accumulate(loss, Pieces(ROWS))
    total = sum(reference(x).sum() for x in ROWS)
    total.backward()
    assert all(np.array_equal(table, before) for table in seen)
    np.testing.assert_allclose(result.loss_sum, total.item(), rtol=1e-6)
    found = model.module.table.weight
    np.testing.assert_allclose(found.data, reference.table.weight.data, rtol=1e-6)
    np.testing.assert_allclose(3 * found.grad.data, reference.table.weight.grad.data, rtol=1e-5)
    np.testing.assert_array_equal(found.data[[3, 5]], before[[3, 5]])
    np.testing.assert_allclose(np.linalg.norm(found.data[[0, 1, 2, 4]], axis=1), 0.5, rtol=1e-6)


def test_evaluation_scales_what_it_sees_and_not_the_table():
    module = Looked().eval()
    before = module.table.weight.data.copy()
    rows = module.table(dg.tensor([0, 1]))
    np.testing.assert_allclose(np.linalg.norm(rows.data, axis=1), 0.5, rtol=1e-6)
    np.testing.assert_array_equal(module.table.weight.data, before)
    module.train()(np.array([0]))
    assert np.linalg.norm(module.table.weight.data[0]) < np.linalg.norm(before[0])


def test_what_never_observes_is_exchanged_by_nobody():
    class Counted(SingleProcess):
        gathered = 0

        def all_gather_object(self, obj):
            Counted.gathered += 1
            return super().all_gather_object(obj)

    quiet = [nn.BatchNorm1d(2, track_running_stats=False), nn.InstanceNorm1d(2), nn.Embedding(2, 2)]
    counts = []
    for extra in ([], quiet, [nn.BatchNorm1d(2)]):
        model = DataParallel(nn.ModuleList([nn.Linear(2, 2), *extra]), Counted())
        Counted.gathered = 0
        model.accumulate(lambda x, m=model: (m.module[0](dg.Tensor(x)).sum(), 1), Pieces(pieces()))
        counts.append(Counted.gathered)
    assert counts[0] == counts[1] < counts[2]
