"""A micro-batch gives the same bits whenever it is computed: in and outside `accumulate`."""

import numpy as np
import pytest
from helpers.data_parallel import Pieces, gradients

import distgrad as dg
from distgrad import nn
from distgrad.autograd import next_generator, random_scope
from distgrad.distributed import DataParallel, SingleProcess


class Noisy(nn.Module):
    """Dropout in attention, between layers and behind them."""

    def __init__(self):
        super().__init__()
        dg.manual_seed(4)
        self.attention = nn.CausalSelfAttention(8, 2, dropout=0.3)
        self.layers = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Dropout(0.2), nn.Linear(8, 1))

    def forward(self, x):
        return self.layers(x + self.attention(x))


def shifted(x):
    """An augmentation: each sequence is rolled by a step of its own."""
    steps = next_generator().integers(0, x.shape[1], len(x))
    return dg.Tensor(
        np.stack([np.roll(one, step, axis=0) for one, step in zip(x, steps, strict=True)])
    )


def loss_of(model, log=None):
    def loss(x):
        total = model(shifted(x)).sum()
        if log is not None:
            log.append(total.item())
        return total, len(x)

    return loss


@pytest.fixture
def window():
    rng = np.random.default_rng(0)
    return Pieces(rng.standard_normal((3, 2, 5, 8)).astype(np.float32), step=6, seed=11)


@pytest.fixture
def model():
    return DataParallel(Noisy(), SingleProcess())


def bits(module):
    return {name: g.tobytes() for name, g in gradients(module).items()}


def test_a_step_that_is_repeated_gives_the_same_bits(model, window):
    losses = []
    results = []
    for _ in range(2):
        model.accumulate(loss_of(model, losses), window)
        results.append(bits(model.module))
        dg.randn(3)  # draws in between do not matter
    assert results[0] == results[1]
    assert losses[:3] == losses[3:]
    assert len(set(losses)) == 3


def test_one_micro_batch_can_be_computed_again_by_itself(model, window):
    losses = []
    model.accumulate(loss_of(model, losses), window)
    for index in (2, 0, 1, 2):
        with random_scope(window.seed, window.step + 1, index):
            total, _ = loss_of(model)(window.micro_batch(index))
        assert total.item() == losses[index]


def test_a_scope_inside_a_micro_batch_leaves_its_draws_alone(model, window):
    expected = []
    model.accumulate(loss_of(model, expected), window)
    losses = []

    def loss(x):
        index = len(losses)
        with random_scope(window.seed, window.step + 1, index):
            loss_of(model, losses)(x)
        losses.pop()
        return loss_of(model, losses)(x)

    model.accumulate(loss, window)
    assert losses == expected


def test_another_step_or_seed_draws_anew(model, window):
    losses = []
    for step, seed in [(6, 11), (7, 11), (6, 12)]:
        model.accumulate(loss_of(model, losses), Pieces(window.batches[:1], step=step, seed=seed))
    assert len(set(losses)) == 3


def test_accumulate_leaves_the_draws_outside_where_they_were(model, window):
    dg.manual_seed(9)
    expected = [dg.randn(2).tolist() for _ in range(2)]
    dg.manual_seed(9)
    first = dg.randn(2).tolist()
    model.accumulate(loss_of(model), window)
    assert [first, dg.randn(2).tolist()] == expected


def test_outside_accumulate_the_draws_follow_manual_seed(model, window):
    def run(seed):
        dg.manual_seed(seed)
        return [loss_of(model)(window.micro_batch(0))[0].item() for _ in range(2)]

    first, second = run(5)
    assert run(5) == [first, second]
    assert first != second
    assert run(6) != [first, second]
