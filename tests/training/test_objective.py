import math

import numpy as np
import pytest

import distgrad as dg
from distgrad.training import Objective
from distgrad.training.objective import OBJECTIVES


def softmax(scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_the_next_token_is_measured_by_tokens():
    generator = np.random.default_rng(0)
    scores, tokens = generator.standard_normal((3, 5, 7)), generator.integers(7, size=(3, 5))
    measured = OBJECTIVES["next_token"].measure(dg.tensor(scores), dg.tensor(tokens))
    likelihood = np.take_along_axis(softmax(scores), tokens[..., None], -1)
    total, count = measured["loss"]
    assert total.item() == pytest.approx(-np.log(likelihood).sum())
    assert count == 15
    right, count = measured["accuracy"]
    assert right.item() == (scores.argmax(-1) == tokens).sum()
    assert count == 15


def test_what_follows_from_the_loss_of_the_next_token():
    completed = OBJECTIVES["next_token"].completed({"accuracy": 0.5, "loss": math.log(8)})
    assert completed == {
        "accuracy": 0.5,
        "loss": math.log(8),
        "bits_per_token": pytest.approx(3),
        "perplexity": pytest.approx(8),
    }


def test_a_perplexity_beyond_all_numbers_is_infinite():
    assert OBJECTIVES["next_token"].completed({"loss": 1e4})["perplexity"] == math.inf


def test_an_objective_is_its_loss():
    objective = Objective(lambda output, target: ((output - target).sum(), 3))
    total, count = objective(dg.ones(4), dg.zeros(4))
    assert (total.item(), count) == (4.0, 3)
    assert list(objective.measure(dg.ones(4), dg.zeros(4))) == ["loss"]
    assert objective.completed({"loss": 1.0}) == {"loss": 1.0}


@pytest.mark.parametrize("name", ["cross_entropy", "next_token"])
def test_padding_does_not_count(name):
    scores = dg.tensor(np.random.default_rng(0).standard_normal((4, 3, 3)))
    labels = dg.tensor([[0, 2, -100], [1, -100, -100], [2, 2, 2], [0, 1, 0]])
    measured = OBJECTIVES[name].measure(scores, labels)
    assert {float(count) for _, count in measured.values()} == {9}
    axis = OBJECTIVES[name].class_axis
    likelihood = softmax(np.moveaxis(scores.numpy(), axis, -1))
    rows, columns = np.nonzero(labels.numpy() >= 0)
    counted = likelihood[rows, columns, labels.numpy()[rows, columns]]
    assert measured["loss"][0].item() == pytest.approx(-np.log(counted).sum())
    guesses = likelihood.argmax(-1) == labels.numpy()
    assert measured["accuracy"][0].item() == guesses.sum()
