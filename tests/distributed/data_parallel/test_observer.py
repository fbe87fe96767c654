"""A step whose micro-batches are looked at, one by one."""

import math

import numpy as np
import pytest
from helpers.data_parallel import Pieces, classification_loss, classifier, gradients, ragged_data

import distgrad as dg
from distgrad import nn
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.errors import RankError


def seen_of(model, window, loss=None):
    """What an observer was shown, with copies of the gradients, and the result."""
    seen = []

    def observe(index, loss_sum, count, named):
        seen.append((index, loss_sum, count, {name: g.copy() for name, g in named.items()}))

    return seen, model.accumulate(loss or classification_loss(model), window, observer=observe)


def window_of(samples=23, micro_batch=4):
    (window,) = dg.data.GlobalBatches(ragged_data(samples, np.float64), samples, micro_batch)
    return window


@pytest.mark.parametrize("reduction", ["tree", "sharded"])
def test_losses_and_gradients_make_up_those_of_the_step(reduction):
    model = DataParallel(classifier(dtype=np.float64), SingleProcess(), reduction)
    seen, result = seen_of(model, window_of())
    assert [index for index, *_ in seen] == [0, 1, 2, 3, 4, 5]
    assert math.fsum(loss for _, loss, _, _ in seen) == result.loss_sum
    assert math.fsum(count for _, _, count, _ in seen) == result.count
    reference = DataParallel(classifier(dtype=np.float64), SingleProcess())
    reference.accumulate(classification_loss(reference), window_of())
    for name, mean in gradients(reference.module).items():
        total = sum(named[name] for *_, named in seen)
        np.testing.assert_allclose(total / result.count, mean, rtol=0, atol=1e-14)


def test_allreduce_shows_running_sums():
    model = DataParallel(classifier(dtype=np.float64), SingleProcess(), "allreduce")
    seen, result = seen_of(model, window_of())
    for name, mean in gradients(model.module).items():
        np.testing.assert_array_equal(seen[-1][3][name] / result.count, mean)


@pytest.mark.parametrize("reduction", ["tree", "allreduce"])
def test_it_changes_no_bit(reduction):
    watched = DataParallel(classifier(dropout=0.3), SingleProcess(), reduction)
    alone = DataParallel(classifier(dropout=0.3), SingleProcess(), reduction)
    window = window_of()
    window = Pieces([window.micro_batch(m) for m in range(len(window))])
    _, result = seen_of(watched, _in_float32(window))
    assert alone.accumulate(classification_loss(alone), _in_float32(window)) == result
    for name, gradient in gradients(alone.module).items():
        np.testing.assert_array_equal(gradients(watched.module)[name], gradient)


def _in_float32(window):
    return Pieces([b._replace(x=b.x.to(np.float32)) for b in window.batches])


def test_a_parameter_without_a_gradient_is_not_shown():
    class Halves(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right = nn.Linear(2, 1), nn.Linear(2, 1)

    model = DataParallel(Halves(), SingleProcess())

    def loss(side):
        return getattr(model.module, side)(dg.ones(1, 2)).sum(), 1

    seen, _ = seen_of(model, Pieces(["left", "right"]), loss)
    assert [list(named) for *_, named in seen] == [
        ["left.weight", "left.bias"],
        ["right.weight", "right.bias"],
    ]


def test_what_it_raises_is_the_failure_of_the_micro_batch():
    model = DataParallel(classifier(dtype=np.float64), SingleProcess())

    def observe(index, *_):
        assert index < 2, "seen enough"

    with pytest.raises(RankError, match=r"at step 1, micro-batch 2: AssertionError\('seen enough"):
        model.accumulate(classification_loss(model), window_of(), observer=observe)
