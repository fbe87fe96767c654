import math
import warnings

import numpy as np
import pytest
from helpers.data_parallel import (
    Pieces,
    classification_loss,
    classifier,
    gradients,
    ragged_data,
    weights,
)

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.errors import RankError


@pytest.fixture(params=["tree", "allreduce"])
def model(request):
    return DataParallel(classifier(dtype=np.float64), SingleProcess(), request.param)


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = nn.Linear(2, 1, bias=False)
        self.right = nn.Linear(2, 1, bias=False)
        self.never = nn.Linear(2, 1, bias=False)

    def forward(self, x, head):
        return getattr(self, head)(x).sum()


def windows(samples=23, global_batch=10, micro_batch=4, dtype=np.float64, seed=0):
    return dg.data.GlobalBatches(ragged_data(samples, dtype), global_batch, micro_batch, seed=seed)


def whole_batch_gradients(module, window):
    """The gradients of the mean loss over all samples of a window, as one batch."""
    module.zero_grad()
    batch = window.dataset.take(window.indices)
    F.cross_entropy(module(batch.x), batch.y).backward()
    return gradients(module)


def test_is_the_gradient_of_the_mean_over_the_whole_batch(model):
    reference = classifier(dtype=np.float64)
    for window in windows():
        result = model.accumulate(classification_loss(model), window)
        for name, expected in whole_batch_gradients(reference, window).items():
            np.testing.assert_allclose(gradients(model)[name], expected, rtol=0, atol=1e-12)
        targets = window.dataset.take(window.indices).y.data
        assert result.count == (targets >= 0).sum()
        assert result.micro_batches == len(window)


def test_the_result_tells_the_loss(model):
    (window,) = windows(samples=10)
    result = model.accumulate(classification_loss(model), window)
    batch = window.dataset.take(window.indices)
    expected = F.cross_entropy(model(batch.x), batch.y).item()
    assert result.loss == pytest.approx(expected, rel=1e-12)
    assert result.loss == result.loss_sum / result.count
    assert result.finite is True
    assert result.micro_batches == 3
    with pytest.raises(AttributeError):
        result.loss = 0.0


def test_gradients_replace_those_of_the_step_before(model):
    first, second = list(windows(samples=20))
    loss = classification_loss(model)
    model.accumulate(loss, second)
    expected = gradients(model)
    model.accumulate(loss, first)
    model.accumulate(loss, second)
    for name, gradient in gradients(model).items():
        np.testing.assert_array_equal(gradient, expected[name])


def test_gradients_of_a_step_can_be_scaled_in_place(model):
    (window,) = windows(samples=10)
    model.accumulate(classification_loss(model), window)
    norm = math.sqrt(sum((g**2).sum() for g in gradients(model).values()))
    before = gradients(model)
    assert model.clip_grad_norm_(norm / 2) == pytest.approx(norm, rel=1e-12)
    for name, gradient in gradients(model).items():
        np.testing.assert_allclose(gradient, before[name] / 2, rtol=1e-5)
    assert model.clip_grad_norm_(norm) == pytest.approx(norm / 2, rel=1e-5)


def test_a_count_of_zero_gives_no_gradients(model):
    dataset = dg.data.TensorDataset(x=np.ones((4, 6)), y=np.full(4, -100))
    (window,) = dg.data.GlobalBatches(dataset, 4, 2)
    result = model.accumulate(classification_loss(model), window)
    assert (result.count, result.loss_sum, result.finite) == (0.0, 0.0, False)
    assert math.isnan(result.loss)
    assert set(gradients(model).values()) == {None}


def test_an_empty_window_gives_no_gradients(model):
    result = model.accumulate(classification_loss(model), Pieces([]))
    assert (result.count, result.micro_batches, result.finite) == (0.0, 0, False)
    assert set(gradients(model).values()) == {None}


def test_a_micro_batch_with_count_zero_is_no_obstacle(model):
    x = np.random.default_rng(0).standard_normal((4, 6))
    y = np.array([1, 2, -100, -100])
    batches = [
        dg.data.TensorDataset(x=x[i : i + 2], y=y[i : i + 2]).take([0, 1]) for i in (0, 2, 0)
    ]
    result = model.accumulate(classification_loss(model), Pieces(batches))
    assert (result.count, result.finite) == (4.0, True)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_told_and_not_raised(model, bad):
    def loss(batch):
        return model(batch.x).sum() * bad, 1

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = model.accumulate(loss, next(iter(windows())))
    assert result.finite is False
    assert not math.isfinite(result.loss_sum)


def linear_model(dtype=np.float32):
    """A model of the loss weight * factor, which is 0 and has the gradient ``factor``."""
    model = DataParallel(nn.Linear(1, 1, bias=False, dtype=dtype), SingleProcess())
    model.module.load_state_dict({"weight": [[0.0]]})

    def loss(factor):
        return model.module.weight.sum() * factor, 1

    return model, loss


@pytest.mark.parametrize("factors", [[3e38, 3e38], [3e38, 3e38, -3e38, -3e38]])
def test_gradients_that_overflow_are_told_without_a_warning(factors):
    model, loss = linear_model()
    result = model.accumulate(loss, Pieces(factors))
    assert result.loss == 0.0
    assert result.finite is False


def test_gradients_near_the_largest_float_are_finite():
    model = DataParallel(nn.Linear(64, 1, bias=False, dtype=np.float64), SingleProcess())
    result = model.accumulate(
        lambda factor: (model.module.weight.sum() * factor, 1), Pieces([1e307])
    )
    assert (model.module.weight.grad.data == 1e307).all()
    assert result.finite is True


class TestFailures:
    def fail(self, model, loss, window=None):
        """Accumulate where ``loss`` fails; the model and its gradients must stay as they were."""
        good = classification_loss(model)
        model.accumulate(good, next(iter(windows(seed=1))))
        before = weights(model), {n: g.tobytes() for n, g in gradients(model).items()}
        with pytest.raises(RankError) as caught:
            model.accumulate(loss, window or list(windows())[1])
        assert (weights(model), {n: g.tobytes() for n, g in gradients(model).items()}) == before
        assert model.accumulate(good, next(iter(windows(seed=1)))).finite
        assert {n: g.tobytes() for n, g in gradients(model).items()} == before[1]
        return caught.value

    def test_names_rank_host_step_and_micro_batch(self, model):
        good = classification_loss(model)
        seen = []

        def loss(batch):
            seen.append(batch)
            if len(seen) == 3:
                raise KeyError("lost")
            return good(batch)

        error = self.fail(model, loss)
        host = SingleProcess().host
        assert str(error) == (
            f"rank 0 of 1 on {host} failed at step 2, micro-batch 2: KeyError('lost')"
        )
        assert isinstance(error.__cause__, KeyError)
        assert error.rank == 0

    @pytest.mark.parametrize("count", [-1, math.nan, math.inf])
    def test_counts_that_make_no_mean(self, model, count):
        error = self.fail(model, lambda batch: (model(batch.x).sum(), count))
        assert f"with a finite count of at least 0, got count {count}" in str(error)

    def test_a_loss_that_is_no_scalar(self, model):
        error = self.fail(model, lambda batch: (model(batch.x), 4))
        assert "only a scalar has the gradient 1 by default" in str(error)

    def test_a_loss_without_a_gradient(self, model):
        error = self.fail(model, lambda batch: (batch.x.sum(), 4))
        assert "does not require a gradient" in str(error)

    def test_a_loss_that_is_no_pair(self, model):
        error = self.fail(model, lambda batch: model(batch.x).sum())
        assert isinstance(error.__cause__, TypeError)

    def test_a_leaf_that_is_no_parameter(self, model):
        stranger = dg.ones((6,), dtype=np.float64, requires_grad=True)
        error = self.fail(model, lambda batch: (model(batch.x * stranger).sum(), 4))
        assert "a tensor of shape (6,) that requires a gradient but is not a parameter" in str(
            error
        )
        assert stranger.grad is None

    def test_a_micro_batch_that_cannot_be_read(self, model):
        class Unreadable(Pieces):
            def micro_batch(self, index):
                raise OSError("no such file")

        error = self.fail(model, classification_loss(model), Unreadable([None], step=9))
        assert "failed at step 10, micro-batch 0: OSError('no such file')" in str(error)

    def test_what_is_not_an_error_passes_through(self, model):
        def loss(batch):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            model.accumulate(loss, next(iter(windows())))
        assert model.accumulate(classification_loss(model), next(iter(windows()))).finite


class TestUnusedParameters:
    x = dg.tensor([[1.0, 2.0]])

    @pytest.mark.parametrize("reduction", ["tree", "allreduce"])
    def test_have_no_gradient(self, reduction):
        model = DataParallel(TwoHeads(), SingleProcess(), reduction)
        heads = ["left", "right", "left"]
        model.accumulate(lambda head: (model(self.x, head), 1), Pieces(heads))
        found = gradients(model)
        assert found["never.weight"] is None
        np.testing.assert_allclose(found["left.weight"], [[2 / 3, 4 / 3]], rtol=1e-6)
        np.testing.assert_allclose(found["right.weight"], [[1 / 3, 2 / 3]], rtol=1e-6)

    def test_lose_the_gradient_of_the_step_before(self):
        model = DataParallel(TwoHeads(), SingleProcess())
        model.accumulate(lambda head: (model(self.x, head), 1), Pieces(["left", "right"]))
        model.accumulate(lambda head: (model(self.x, head), 1), Pieces(["right"]))
        assert gradients(model)["left.weight"] is None

    def test_a_frozen_parameter_has_none(self):
        model = DataParallel(classifier(), SingleProcess())
        model.module[0].requires_grad_(False)
        model.accumulate(
            classification_loss(model), next(iter(windows(samples=8, dtype=np.float32)))
        )
        found = gradients(model)
        assert found["0.weight"] is None
        assert found["0.bias"] is None
        assert found["3.weight"] is not None


class TestRandomScope:
    def drawn(self, pieces):
        model = DataParallel(nn.Linear(1, 1), SingleProcess())
        draws = []

        def loss(_):
            draws.append(dg.rand(3).tolist())
            return model.module.weight.sum(), 1

        model.accumulate(loss, pieces)
        return draws

    def test_draws_differ_by_micro_batch_step_and_seed(self):
        draws = (
            self.drawn(Pieces(range(5), step=0))
            + self.drawn(Pieces(range(5), step=1))
            + self.drawn(Pieces(range(5), seed=1))
        )
        assert len({tuple(draw) for draw in draws}) == 15

    def test_draws_repeat_for_the_same_micro_batch(self):
        dg.rand(5)
        first = self.drawn(Pieces([0, 1, 2], step=4, seed=7))
        dg.rand(5)
        assert self.drawn(Pieces([0, 1, 2], step=4, seed=7)) == first

    def test_the_scope_outside_goes_on_as_if_nothing_was_drawn(self):
        dg.manual_seed(3)
        expected = [dg.rand(2).tolist(), dg.rand(2).tolist()]
        model = DataParallel(nn.Linear(1, 1), SingleProcess())
        dg.manual_seed(3)
        found = [dg.rand(2).tolist()]
        model.accumulate(
            lambda _: (model.module.weight.sum() * dg.rand(1).sum(), 1), Pieces([0, 1])
        )
        found.append(dg.rand(2).tolist())
        assert found == expected


def test_an_optimizer_trains_it(model):
    optimizer = dg.optim.SGD(model.parameters(), lr=0.5)
    batches = windows(samples=40, global_batch=16, micro_batch=4)
    losses = []
    for _ in range(10):
        for window in batches:
            losses.append(model.accumulate(classification_loss(model), window).loss)
            optimizer.step()
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
