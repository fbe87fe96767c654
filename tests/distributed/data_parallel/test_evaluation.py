import math

import numpy as np
import pytest
from helpers.data_parallel import classifier

import distgrad as dg
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.errors import RankError


@pytest.fixture
def model():
    return DataParallel(classifier(dropout=0.5), SingleProcess())


def numbers(count):
    return dg.data.TensorDataset(x=np.arange(count, dtype=np.float64))


@pytest.mark.parametrize("micro_batch_size", [1, 3, 7, 10, 99])
def test_every_sample_counts_once(model, micro_batch_size):
    seen = []

    def measure(batch):
        seen.extend(batch.x.tolist())
        return {"mean": (batch.x.sum(), len(batch.x)), "large": (int((batch.x > 6).sum()), 5)}

    means = model.evaluate(measure, numbers(10), micro_batch_size)
    assert seen == list(range(10))
    assert means["mean"] == 4.5
    assert means["large"] == 3 / (5 * -(-10 // micro_batch_size))


def test_any_dataset_will_do(model):
    samples = [{"x": float(i)} for i in range(5)]
    means = model.evaluate(lambda batch: {"x": (batch["x"].sum(), len(batch["x"]))}, samples, 2)
    assert means == {"x": 2.0}


def test_a_measurement_may_be_missing_from_a_batch(model):
    def measure(batch):
        odd = batch.x.data[batch.x.data % 2 == 1]
        return {"odd": (odd.sum(), len(odd))} if len(odd) else {}

    assert model.evaluate(measure, numbers(4), 1) == {"odd": 2.0}


def test_names_are_sorted(model):
    means = model.evaluate(lambda _: {"b": (1, 1), "a": (1, 1), "c": (1, 1)}, numbers(2), 1)
    assert list(means) == ["a", "b", "c"]


def test_a_count_of_zero_has_no_mean(model):
    assert math.isnan(model.evaluate(lambda _: {"x": (0, 0)}, numbers(2), 1)["x"])


def test_sums_are_exact(model):
    values = iter([1e100, 1.0, -1e100])
    assert model.evaluate(lambda _: {"x": (next(values), 1)}, numbers(3), 1) == {"x": 1 / 3}


@pytest.mark.parametrize(
    ("values", "expected"),
    [([math.inf, -math.inf], math.nan), ([1e308, 1e308], math.inf), ([math.nan, 1], math.nan)],
)
def test_what_is_not_finite_is_told(model, values, expected):
    remaining = iter(values)
    means = model.evaluate(lambda _: {"x": (next(remaining), 1)}, numbers(2), 1)
    assert means["x"] == pytest.approx(expected, nan_ok=True)


def test_runs_in_evaluation_mode_without_gradients(model):
    def measure(batch):
        assert not model.module.training
        assert not model.module[2].training
        assert not dg.is_grad_enabled()
        return {"x": (0, 1)}

    model.evaluate(measure, numbers(3), 2)
    assert dg.is_grad_enabled()


@pytest.mark.parametrize("fails", [False, True])
def test_every_part_of_the_model_gets_its_mode_back(model, fails):
    model.train()
    model.module[2].eval()
    if fails:
        with pytest.raises(RankError):
            model.evaluate(lambda _: 1 / 0, numbers(3), 2)
    else:
        model.evaluate(lambda _: {}, numbers(3), 2)
    assert model.module.training
    assert model.module[0].training
    assert not model.module[2].training


def test_an_exception_names_the_rank_and_the_micro_batch(model):
    def measure(batch):
        if 5 in batch.x.tolist():
            raise KeyError("lost")
        return {}

    host = SingleProcess().host
    expected = f"rank 0 of 1 on {host} failed in evaluate, micro-batch 2: KeyError\\('lost'\\)"
    with pytest.raises(RankError, match=expected) as caught:
        model.evaluate(measure, numbers(10), 2)
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_empty_dataset_is_refused(model):
    with pytest.raises(ValueError, match="dataset is empty: evaluate needs at least 1 sample"):
        model.evaluate(lambda _: {}, [], 2)


@pytest.mark.parametrize("size", [0, -1, 2.5])
def test_a_bad_micro_batch_size_is_refused(model, size):
    expected = f"micro_batch_size must be an integer of at least 1, got {size}"
    with pytest.raises(ValueError, match=expected):
        model.evaluate(lambda _: {}, numbers(3), size)
