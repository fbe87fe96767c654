"""Who looks into the steps of a trainer sees them as they are, and changes nothing."""

from helpers.configs import tiny_config

from distgrad.distributed import SingleProcess
from distgrad.nn.utils import get_total_norm
from distgrad.training import Trainer
from distgrad.training.weights import weights_sha256


class Notes:
    def __init__(self):
        self.trainer = None
        self.micro_batches = []
        self.norms = []

    def micro_batch(self, index, _loss_sum, count, gradients):
        self.micro_batches.append((index, count, list(gradients)))

    def step(self, window, result):
        gradients = [parameter.grad for parameter in self.trainer.model.parameters()]
        self.norms.append((window.step, result.count, get_total_norm(gradients).item()))


def trainer(observer=None):
    made = Trainer(tiny_config("training.clip_grad_norm=0.1"), SingleProcess())
    made.observer = observer
    return made


def test_it_sees_the_gradients_before_they_are_clipped():
    notes = Notes()
    notes.trainer = trainer(notes)
    reports = list(notes.trainer.steps())
    assert notes.norms == [(r.step - 1, r.count, r.grad_norm) for r in reports]
    names = ["0.weight", "0.bias", "3.weight", "3.bias"]
    first = [(0, 8, names), (1, 8, names), (2, 8, names), (3, 4, names)]
    assert notes.micro_batches[:8] == first + first


def test_it_changes_no_bit():
    notes = Notes()
    notes.trainer = trainer(notes)
    alone = trainer()
    assert [r.loss for r in notes.trainer.steps()] == [r.loss for r in alone.steps()]
    assert weights_sha256(notes.trainer.model.module) == weights_sha256(alone.model.module)
