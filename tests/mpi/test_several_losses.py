"""Several losses, each the mean by a count of its own, and penalties that nothing counts."""

import math

import numpy as np
import pytest
from helpers.data_parallel import classifier, gradients, weights

import distgrad as dg
import distgrad.nn.functional as F
from distgrad.distributed import DataParallel
from distgrad.errors import RankError, TrainingError

pytestmark = pytest.mark.mpi


@pytest.fixture(params=["tree", "allreduce"])
def reduction(request):
    return request.param


@pytest.fixture
def model(reduction, comm):
    return DataParallel(classifier(dtype=np.float64), comm, reduction)


def samples(number=29):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, number)
    labels[rng.random(number) < 0.5] = -100
    return dg.data.TensorDataset(
        x=rng.standard_normal((number, 6)), y=labels, weight=rng.random(number)
    )


def window_of(data, micro_batch_size=4):
    size = len(data)
    return next(iter(dg.data.GlobalBatches(data, size, micro_batch_size, shuffle=False)))


def sums(model):
    """Cross-entropy by labelled samples, and a weighted square by the sum of the weights."""

    def loss(batch):
        output = model(batch.x)
        return {
            "labels": F.cross_entropy(output, batch.y, reduction="sum"),
            "squares": ((output**2).sum(1) * batch.weight).sum(),
        }

    return loss


def counts(batch):
    return {
        "labels": int((batch.y.data >= 0).sum()),
        "squares": batch.weight.sum().item(),
    }


def penalty_of(model):
    return lambda: 0.1 * (model.module[0].weight ** 2).sum()


def expected(penalised=True):
    """The same over the whole batch at once, by plain autograd."""
    module, data = classifier(dtype=np.float64), samples()
    batch = data.take(np.arange(len(data)))
    output = module(batch.x)
    means = {
        "labels": F.cross_entropy(output, batch.y),
        "squares": ((output**2).sum(1) * batch.weight).sum() / batch.weight.sum(),
    }
    total = means["labels"] + means["squares"]
    (total + 0.1 * (module[0].weight ** 2).sum() if penalised else total).backward()
    return gradients(module), {name: mean.item() for name, mean in means.items()}


def test_each_loss_is_divided_by_its_own_count(model):
    result = model.accumulate(sums(model), window_of(samples()), counts=counts)
    reference, means = expected(penalised=False)
    for name, gradient in gradients(model).items():
        np.testing.assert_allclose(gradient, reference[name], rtol=0, atol=1e-12)
    assert result.losses == pytest.approx(means, rel=1e-12)
    assert result.loss == pytest.approx(sum(means.values()), rel=1e-12)
    assert (result.count, result.finite) == (1.0, True)


def test_a_penalty_is_added_once(model):
    window = window_of(samples())
    result = model.accumulate(sums(model), window, counts=counts, penalty=penalty_of(model))
    reference, _ = expected()
    for name, gradient in gradients(model).items():
        np.testing.assert_allclose(gradient, reference[name], rtol=0, atol=1e-12)
    assert result.penalty == penalty_of(model)().item()


def test_a_penalty_beside_one_loss(model):
    def mean(batch):
        return model(batch.x).sum(), len(batch.x)

    window = window_of(samples())
    model.accumulate(mean, window)
    without = gradients(model)
    model.accumulate(mean, window, penalty=penalty_of(model))
    weight = model.module[0].weight.data
    np.testing.assert_allclose(
        gradients(model)["0.weight"], without["0.weight"] + 0.2 * weight, rtol=1e-13
    )
    np.testing.assert_array_equal(gradients(model)["3.bias"], without["3.bias"])


def test_a_penalty_reaches_a_parameter_that_no_loss_uses(comm, reduction):
    class Idle(dg.nn.Module):
        def __init__(self):
            super().__init__()
            self.used = dg.nn.Parameter(dg.ones(2))
            self.idle = dg.nn.Parameter(dg.ones(2))
            self.never = dg.nn.Parameter(dg.ones(2))

    model = DataParallel(Idle(), comm, reduction)

    def loss(batch):
        return model.module.used.sum() * len(batch.x), len(batch.x)

    def penalty():
        return (3 * model.module.idle).sum()

    model.accumulate(loss, window_of(samples()), penalty=penalty)
    assert model.module.used.grad.tolist() == [1.0, 1.0]
    assert model.module.idle.grad.tolist() == [3.0, 3.0]
    assert model.module.never.grad is None


def test_the_bits_are_those_of_one_process(comm, alone):
    results = []
    for ranks in (comm, alone):
        model = DataParallel(classifier(dropout=0.3), ranks)
        optimizer = dg.optim.AdamW(model.parameters(), lr=1e-2)
        data = samples()
        data = dg.data.TensorDataset(
            x=data[:].x.to(dg.float32), y=data[:].y, weight=data[:].weight.to(dg.float32)
        )
        values = []
        for window in dg.data.GlobalBatches(data, 13, 2):
            result = model.accumulate(sums(model), window, counts=counts, penalty=penalty_of(model))
            optimizer.step()
            values.append((result.loss, dict(result.losses), result.penalty))
        results.append((values, weights(model)))
    assert results[0] == results[1]


def test_a_loss_that_nothing_counts_takes_no_part(model):
    data = samples()
    unlabelled = dg.data.TensorDataset(
        x=data[:].x, y=dg.full(len(data), -100, dtype=dg.int64), weight=data[:].weight
    )
    result = model.accumulate(sums(model), window_of(unlabelled), counts=counts)
    assert set(result.losses) == {"squares"}
    assert result.finite


def test_nothing_that_counts_is_no_step(model):
    none = {"labels": 0, "squares": 0}
    result = model.accumulate(sums(model), window_of(samples()), counts=lambda _: none)
    assert (result.count, result.finite, result.losses) == (0.0, False, {})
    assert math.isnan(result.loss)
    assert all(p.grad is None for p in model.parameters())


def test_a_loss_may_occur_in_some_micro_batches_only(model):
    def some(batch):
        first = batch.x[0, 0].item() == samples()[0].x[0].item()
        own = {"all": model(batch.x).sum()}
        return {**own, "first": model(batch.x[:1]).sum()} if first else own

    def count(batch):
        return {"all": len(batch.x), "first": 1}

    result = model.accumulate(some, window_of(samples()), counts=count)
    assert set(result.losses) == {"all", "first"}
    assert result.finite


@pytest.mark.parametrize(
    ("loss", "count", "message"),
    [
        (lambda _: (dg.ones(()), 1), counts, r"with counts the loss returns \{name: sum\}"),
        (lambda _: {"other": dg.ones(())}, counts, r"'other' has no count; counts returned \['l"),
        (lambda _: {}, lambda _: {"labels": -1}, "a finite count of at least 0, got count -1"),
    ],
)
def test_what_does_not_fit_is_raised_on_every_rank(model, loss, count, message):
    with pytest.raises(RankError, match=message):
        model.accumulate(loss, window_of(samples()), counts=count)


def test_sums_by_name_need_counts(model):
    with pytest.raises(RankError, match=r"returns \(sum, count\).*need counts, too"):
        model.accumulate(sums(model), window_of(samples()))


def test_an_exception_in_the_penalty_is_raised_on_every_rank(comm, model):
    def penalty():
        if comm.rank == comm.size - 1:
            raise KeyError("lost")
        return penalty_of(model)()

    with pytest.raises(RankError, match=rf"rank {comm.size - 1} .* at step 1, penalty: KeyError"):
        model.accumulate(sums(model), window_of(samples()), counts=counts, penalty=penalty)


def test_ranks_that_disagree_on_counts_are_out_of_step(comm, model):
    if comm.size == 1:
        pytest.skip("one rank cannot be out of step")
    with pytest.raises(TrainingError, match="out of step"):
        model.accumulate(
            sums(model), window_of(samples()), counts=counts if comm.rank == 0 else None
        )
