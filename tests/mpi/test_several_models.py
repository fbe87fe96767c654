"""Several optimizers over one model, and several models in one step."""

import numpy as np
import pytest
from helpers.data_parallel import classification_loss, classifier, ragged_data, weights

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn
from distgrad.distributed import DataParallel
from distgrad.errors import RankError

pytestmark = pytest.mark.mpi


@pytest.fixture(params=["tree", "allreduce"])
def reduction(request):
    return request.param


def windows(data, steps=4):
    return list(dg.data.GlobalBatches(data, len(data) // steps, 3))


def with_two_optimizers(comm, reduction="tree"):
    """The first layer by SGD, the last by AdamW."""
    model = DataParallel(classifier(dropout=0.2), comm, reduction)
    first, last = list(model.module[0].parameters()), list(model.module[3].parameters())
    optimizers = [
        dg.optim.SGD(first, lr=0.1, momentum=0.9, nesterov=True),
        dg.optim.AdamW(last, lr=0.01),
    ]
    for window in windows(ragged_data(45)):
        model.accumulate(classification_loss(model), window)
        for optimizer in optimizers:
            optimizer.step()
    return weights(model)


def test_two_optimizers_over_one_model_give_the_bits_of_one_process(comm, alone):
    assert with_two_optimizers(comm) == with_two_optimizers(alone)


class Game:
    """A generator of numbers and a critic that tells them from those of the data, in turns."""

    def __init__(self, comm, reduction="tree"):
        dg.manual_seed(3)
        self.generator = DataParallel(
            nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 6)), comm, reduction
        )
        self.critic = DataParallel(
            nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1)),
            comm,
            reduction,
        )
        self.optimizers = {
            model: dg.optim.Adam(model.parameters(), lr=0.01)
            for model in (self.generator, self.critic)
        }

    def critic_loss(self, batch):
        with dg.no_grad():
            fake = self.generator(dg.randn(len(batch.x), 2))
        scores = self.critic(dg.cat([batch.x, fake]))
        truth = dg.cat([dg.ones(len(batch.x), 1), dg.zeros(len(batch.x), 1)])
        return F.mse_loss(scores, truth, reduction="sum"), 2 * len(batch.x)

    def generator_loss(self, batch):
        scores = self.critic(self.generator(dg.randn(len(batch.x), 2)))
        return F.mse_loss(scores, dg.ones(len(batch.x), 1), reduction="sum"), len(batch.x)

    def step(self, window):
        result = self.critic.accumulate(self.critic_loss, window)
        self.optimizers[self.critic].step()
        self.critic.module.requires_grad_(False)
        other = self.generator.accumulate(self.generator_loss, window)
        self.critic.module.requires_grad_(True)
        self.optimizers[self.generator].step()
        return result.loss, other.loss


def play(comm, reduction="tree"):
    game = Game(comm, reduction)
    losses = [game.step(window) for window in windows(ragged_data(46))]
    return losses, weights(game.generator), weights(game.critic)


def test_two_models_in_one_step_give_the_bits_of_one_process(comm, alone):
    assert play(comm) == play(alone)


def test_two_models_stay_alike_on_all_ranks(comm, reduction):
    assert len(set(comm.all_gather_object(repr(play(comm, reduction))))) == 1


def test_the_gradients_of_both_are_those_of_plain_autograd(comm, reduction):
    game = Game(comm, reduction)
    data = ragged_data(12)
    (window,) = dg.data.GlobalBatches(data, 12, 4)
    noise = {}

    def generator_loss(batch):
        # The noise is kept for the reference; the seed of each draw is that of the micro-batch.
        noise[batch.x.numpy().tobytes()] = drawn = dg.randn(len(batch.x), 2)
        scores = game.critic.module(game.generator(drawn))
        return F.mse_loss(scores, dg.ones(len(batch.x), 1), reduction="sum"), len(batch.x)

    game.critic.module.requires_grad_(False).eval()
    game.generator.accumulate(generator_loss, window)
    found = [p.grad.numpy().copy() for p in game.generator.parameters()]
    everywhere = {
        key: value for part in comm.all_gather_object(noise) for key, value in part.items()
    }
    drawn = [everywhere[window.micro_batch(m).x.numpy().tobytes()] for m in range(len(window))]
    module = game.generator.module
    module.zero_grad()
    scores = game.critic.module(module(dg.cat(drawn)))
    F.mse_loss(scores, dg.ones(12, 1)).backward()
    for gradient, parameter in zip(found, module.parameters(), strict=True):
        np.testing.assert_allclose(gradient, parameter.grad.numpy(), rtol=1e-4, atol=1e-7)


def test_a_model_that_is_not_frozen_meanwhile_is_named(comm, reduction):
    game = Game(comm, reduction)
    (window, *_) = windows(ragged_data(46))
    with pytest.raises(RankError, match=r"freeze that meanwhile with requires_grad_\(False\)"):
        game.generator.accumulate(game.generator_loss, window)
