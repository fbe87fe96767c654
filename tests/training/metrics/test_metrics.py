"""Every metric against scikit-learn and closed forms, however the samples are cut."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.data import TensorDataset
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.errors import TrainingError, UsageError
from distgrad.training.measuring import Measurements
from distgrad.training.metrics import (
    F1,
    R2,
    Accuracy,
    ConfusionMatrix,
    Mean,
    MeanAbsoluteError,
    MeanSquaredError,
    Metric,
    Perplexity,
    Precision,
    Recall,
    RootMeanSquaredError,
    TopK,
)
from distgrad.training.objective import OBJECTIVES, Objective

MODEL = DataParallel(dg.nn.Linear(1, 1), SingleProcess())

AVERAGES = ("macro", "micro", "weighted")


def measured(metric, output, target, cut=7):
    """The value of a metric over samples in batches of so many."""
    data = TensorDataset(x=np.asarray(output), y=np.asarray(target))
    measurements = Measurements(Objective(lambda *_: (0.0, 1)), [metric])
    sums = MODEL.exact_sums(lambda batch: measurements.addends(batch.x, batch.y), data, cut)
    return measurements.values(sums)[metric.name]


def classified(n=60, classes=5, seed=0):
    """Scores of an imperfect guess, and labels, of which the last class has none."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes - 1, size=n)
    scores = rng.normal(size=(n, classes)).astype(np.float32)
    scores[np.arange(n), labels] += 1
    return scores, labels


# Against closed forms


def test_scores_of_three_classes():
    scores = [[3, 2, 1], [3, 2, 1], [0, 2, 1], [0, 0, 1], [0, 5, 1.0]]
    labels = [0, 1, 1, 2, 0]
    assert measured(Accuracy(), scores, labels) == 3 / 5
    assert measured(TopK(k=2), scores, labels) == 4 / 5
    assert measured(ConfusionMatrix(), scores, labels) == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    for metric in (Precision, Recall, F1):
        assert measured(metric(), scores, labels) == 2 / 3
        assert measured(metric("micro"), scores, labels) == 3 / 5
        assert measured(metric("weighted"), scores, labels) == 3 / 5


def test_the_perplexity_of_equal_scores_is_the_number_of_classes():
    assert measured(Perplexity(), np.zeros((9, 4)), np.arange(9) % 4) == pytest.approx(4, rel=1e-15)


def test_errors_of_numbers():
    output, target = [[1.0, 2.0], [3.0, 8.0]], [[2.0, 2.0], [5.0, 4.0]]
    assert measured(MeanAbsoluteError(), output, target) == 7 / 4
    assert measured(MeanSquaredError(), output, target) == 21 / 4
    assert measured(RootMeanSquaredError(), output, target) == math.sqrt(21 / 4)
    # 1 - 5 / 4.5 of the first numbers, 1 - 16 / 2 of the second.
    assert measured(R2(), output, target) == pytest.approx(-(1 / 9 + 7) / 2, rel=1e-15)


def test_r2_of_targets_that_are_all_the_same():
    same = np.full(11, 0.1)  # whose square no float64 is
    assert measured(R2(), same, same) == 1.0
    assert measured(R2(), np.zeros(11), same) == 0.0


@pytest.mark.parametrize("far", [0.0, 1e8, 2.0**50])
def test_r2_loses_nothing_far_from_zero(far):
    target = far + np.array([0.0, 1.0, 2.0, 5.0])
    output = far + np.array([0.5, 1.0, 2.0, 5.0])
    assert measured(R2(), output, target) == 1 - 0.25 / 14


def test_classes_of_equal_scores_come_in_their_order():
    scores = np.zeros((3, 4))
    assert measured(Accuracy(), scores, [0, 1, 2]) == 1 / 3
    assert measured(TopK(k=2), scores, [0, 1, 2]) == 2 / 3
    assert measured(ConfusionMatrix(), scores, [0, 1, 2])[1] == [1, 0, 0, 0]


def test_targets_that_do_not_count():
    scores, labels = classified()
    counted = np.arange(60) % 3 > 0
    ignored = np.where(counted, labels, -100)
    for metric in (Accuracy(), TopK(k=2), Perplexity(), F1(), ConfusionMatrix()):
        assert measured(metric, scores, ignored) == measured(
            metric, scores[counted], labels[counted]
        )


def test_the_axis_of_the_classes():
    rng = np.random.default_rng(1)
    scores, labels = rng.normal(size=(12, 5, 3)), rng.integers(3, size=(12, 5))
    flat = scores.reshape(60, 3), labels.reshape(60)
    for one, other in ((Accuracy(-1), Accuracy()), (Perplexity(-1), Perplexity(1))):
        assert measured(one, scores, labels) == measured(other, *flat)
        assert measured(other, scores.swapaxes(1, 2), labels) == measured(other, *flat)


# Against scikit-learn


def test_classification_as_scikit_learn_has_it():
    sk = pytest.importorskip("sklearn.metrics")
    scores, labels = classified()
    taken = scores.argmax(1)
    assert measured(Accuracy(), scores, labels) == sk.accuracy_score(labels, taken)
    every = sk.confusion_matrix(labels, taken, labels=range(5))
    assert measured(ConfusionMatrix(), scores, labels) == every.tolist()
    for k in (2, 3, 4):
        theirs = sk.top_k_accuracy_score(labels, scores, k=k, labels=range(5))
        assert measured(TopK(k), scores, labels) == theirs
    powers = np.exp(scores.astype(np.float64))
    loss = sk.log_loss(labels, powers / powers.sum(1, keepdims=True), labels=range(5))
    assert measured(Perplexity(), scores, labels) == pytest.approx(math.exp(loss), rel=1e-5)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("seed", range(3))
def test_means_over_classes_as_scikit_learn_has_them(average, seed):
    sk = pytest.importorskip("sklearn.metrics")
    scores, labels = classified(n=12, seed=seed)  # so few that some classes are nowhere
    expected = sk.precision_recall_fscore_support(
        labels, scores.argmax(1), average=average, zero_division=0
    )
    ours = [measured(metric(average), scores, labels) for metric in (Precision, Recall, F1)]
    assert ours == pytest.approx(expected[:3], rel=1e-14)


def test_regression_as_scikit_learn_has_it():
    sk = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    target = rng.normal(3, 2, (40, 2))
    output = target + rng.normal(size=(40, 2))
    for metric, theirs in (
        (MeanAbsoluteError(), sk.mean_absolute_error),
        (MeanSquaredError(), sk.mean_squared_error),
        (R2(), sk.r2_score),
    ):
        assert measured(metric, output, target) == pytest.approx(theirs(target, output), rel=1e-13)


# However the samples are cut


@given(st.integers(1, 60), st.randoms())
def test_neither_the_cut_nor_the_order_leaves_a_trace(cut, random):
    scores, labels = classified()
    order = list(range(60))
    random.shuffle(order)
    for metric in (Accuracy(), TopK(k=2), ConfusionMatrix(), F1(), Precision("weighted")):
        whole = measured(metric, scores, labels, 60)
        assert measured(metric, scores[order], labels[order], cut) == whole
    output, target = scores[:, :2], scores[:, 3:] / 3
    for metric in (MeanAbsoluteError(), MeanSquaredError(), RootMeanSquaredError(), R2()):
        whole = measured(metric, output, target, 60)
        assert measured(metric, output[order], target[order], cut) == whole


# What does not fit


@pytest.mark.parametrize(
    ("metric", "output", "target", "message"),
    [
        (
            Accuracy(),
            np.zeros((3, 2)),
            np.zeros((3, 1), int),
            "takes an integer label for each row of scores: (3,) of them, got targets of shape "
            "(3, 1) and type int64",
        ),
        (Accuracy(), np.zeros((3, 2)), np.zeros(3), "and type float64"),
        (
            F1(),
            np.zeros((3, 2)),
            [0, 1, 2],
            "2 scores take labels from 0 to 1, got labels from 0 to 2",
        ),
        (
            TopK(k=5),
            np.zeros((3, 5)),
            [0, 1, 2],
            "k = 5 of 5 classes are all of them, and always right; use a smaller k",
        ),
        (
            R2(),
            np.zeros((3, 1)),
            np.zeros(3),
            "output and target must have one shape, got (3, 1) and (3,); reshape() one of them",
        ),
    ],
)
def test_what_no_metric_takes(metric, output, target, message):
    with pytest.raises(ValueError) as raised:
        metric.addends(dg.tensor(np.asarray(output)), dg.tensor(np.asarray(target)))
    assert message in str(raised.value)


class Own(Metric):
    def __init__(self, name, value):
        self.name = name
        self.given = value

    def addends(self, output, target):
        return {"x": output, "n": target.numel()}

    def value(self, sums):
        return self.given(sums)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda sums: 1 / (sums["n"] - 3), "the metric own has failed: ZeroDivisionError("),
        (lambda _: math.nan, "the own of the test samples is not finite (nan)"),
        (lambda _: [[1, math.inf]], "the own of the test samples is not finite (inf)"),
        (lambda _: "much", "the metric own has failed: ValueError("),
    ],
)
def test_a_metric_that_fails(value, message):
    with pytest.raises(TrainingError) as raised:
        measured(Own("own", value), np.ones(3), np.ones(3))
    assert message in str(raised.value)


def test_a_metric_without_its_parts():
    for name in ("addends", "value"):
        arguments = [None, None] if name == "addends" else [{}]
        with pytest.raises(NotImplementedError, match=rf"Metric does not define {name}\(\)"):
            getattr(Metric(), name)(*arguments)


def test_values_are_what_json_has():
    value = measured(Own("own", lambda s: [(s["x"], s["n"]), [np.float32(0.5), True]]), [1.0], [1])
    assert value == [[1.0, 1.0], [0.5, True]]


# All that a run measures


def test_a_metric_takes_the_place_of_what_the_loss_measures_under_its_name():
    measurements = Measurements(OBJECTIVES["cross_entropy"], [Accuracy(), TopK(k=2)])
    scores, labels = classified()
    added = measurements.addends(dg.tensor(scores), dg.tensor(labels))
    assert len(added) == 6
    assert list(measurements.modes) == ["loss", "accuracy", "top_2"]
    assert measurements.modes["loss"] == "min"
    assert measurements.modes["top_2"] == "max"


def test_what_follows_from_the_loss_stays_behind_it():
    modes = Measurements(OBJECTIVES["next_token"], [ConfusionMatrix(-1)]).modes
    assert modes == {
        "accuracy": "max",
        "loss": "min",
        "confusion_matrix": None,
        "bits_per_token": "min",
        "perplexity": "min",
    }


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ([F1(), F1()], "training.metrics has 2 metrics called f1_macro; leave one out"),
        ([Mean("loss", lambda *_: (0, 1))], "a metric cannot be called loss: that is measured"),
    ],
)
def test_names_are_of_one_metric(metrics, message):
    with pytest.raises(UsageError) as raised:
        Measurements(OBJECTIVES["mse"], metrics)
    assert message in str(raised.value)
