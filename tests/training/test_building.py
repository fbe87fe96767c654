"""What a configuration names is tried before the first step: each refusal says what and why."""

import sys

import pytest
from helpers.configs import tiny_config, tiny_document

from distgrad.distributed import SingleProcess
from distgrad.errors import UsageError
from distgrad.training import Trainer, parse_config

COMPONENTS = """
import numpy as np
from distgrad import nn
from distgrad.data import Split, TensorDataset


def arrays(n, labels):
    return TensorDataset(x=np.zeros((n, 1), np.float32), y=np.resize(np.array(labels), n))


def labelled(labels: list, test_labels: list = [0]):
    return Split(arrays(40, labels), arrays(10, test_labels))


def empty(part: str):
    return Split(arrays(0 if part == "train" else 9, [0]), arrays(0 if part == "test" else 9, [0]))


def other_fields():
    return Split(TensorDataset(np.zeros((3, 1), np.float32)), arrays(3, [0]))


def no_split():
    return [1, 2]


def number():
    return 3


class Collapsing(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(1, 2)

    def forward(self, x):
        return self.inner(x).sum()


def nothing_to_learn():
    return nn.Sequential(nn.Tanh())
"""


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    (tmp_path / "own_parts.py").write_text(COMPONENTS)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("own_parts", None)


def refused(*assignments, **sections):
    with pytest.raises(UsageError) as raised:
        Trainer(parse_config(tiny_document(*assignments) | sections), SingleProcess())
    return str(raised.value)


CLASSES = ("training.loss=cross_entropy", "model.sizes=[1, 4, 3]")


def labelled(labels, test_labels="[0]"):
    arguments = f"labels = {labels}, test_labels = {test_labels}"
    return f"data.source={{name = 'own_parts:labelled', {arguments}}}"


def test_labels_that_fit_are_taken():
    Trainer(tiny_config(*CLASSES, labelled("[0, 1, 2]")), SingleProcess())


@pytest.mark.parametrize(
    ("labels", "test_labels", "said"),
    [
        ("[0, 3]", "[0]", "train part has labels from 0 to 3; give the model 4 outputs, or "),
        ("[1, 2]", "[5]", "test part has labels from 5 to 5; give the model 6 outputs, or "),
        ("[-1, 3]", "[0]", "train part has labels from -1 to 3; "),
    ],
)
def test_labels_out_of_range(labels, test_labels, said):
    assert refused(*CLASSES, labelled(labels, test_labels)) == (
        "the model's 3 outputs take labels from 0 to 2, and -100 for what does not count, but y of "
        f"the {said}number the labels from 0"
    )


def test_what_does_not_count_needs_no_class():
    Trainer(tiny_config(*CLASSES, labelled("[0, -100, 2]")), SingleProcess())


def test_labels_of_which_none_counts():
    assert refused(*CLASSES, labelled("[0, 1]", "[-100]")) == (
        "y of the test part has no label but -100, which does not count"
    )


def test_labels_that_are_no_integers():
    assert refused(*CLASSES, labelled("[0.5, 1.0]")) == (
        "the loss takes an output of shape (N, classes, ...) and integer labels of shape (N, ...); "
        "the model's output has shape (N, 3) and y of the train part is float64 of shape (N,)"
    )


def test_labels_of_another_shape():
    assert (
        "the model's output has shape (N, 3) and y of the train part is float32 of shape (N, 1)"
        in (refused(*CLASSES))
    )


def test_targets_of_another_shape_than_the_output():
    assert refused("model.sizes=[1, 2]") == (
        "the loss does not take the model's output of shape (N, 2) and y of shape (N, 1): "
        "mse: output and target must have one shape, got (1, 2) and (1, 1); reshape() one of them"
    )


def test_samples_that_the_model_does_not_take():
    said = refused("model.sizes=[3, 1]")
    assert said.startswith("the model does not take x of shape (1, 1) (one sample): ")


def test_an_output_without_an_axis_of_samples():
    said = refused(model={"name": "own_parts:Collapsing"})
    assert said == "the model's output for one sample must have shape (1, ...), got ()"


@pytest.mark.parametrize("part", ["train", "test"])
def test_an_empty_part(part):
    assert refused(f"data.source={{name = 'own_parts:empty', part = '{part}'}}") == (
        f"source own_parts:empty: the {part} part is empty; a run needs at least 1 sample to train "
        "on and 1 to test on"
    )


def test_a_source_that_returns_no_split():
    assert refused("data.source={name = 'own_parts:no_split'}") == (
        "source own_parts:no_split: must return a distgrad.data.Split, got [1, 2]"
    )


def test_a_source_without_the_fields_x_and_y():
    said = refused("data.source={name = 'own_parts:other_fields'}")
    assert said.startswith(
        "source own_parts:other_fields: the train part must have samples with the fields x and y, "
        "or pairs of both, got (tensor("
    )


def test_a_model_that_is_none():
    assert refused(model={"name": "own_parts:number"}) == (
        "model own_parts:number: must return a distgrad.nn.Module, got 3"
    )


def test_a_model_with_nothing_to_learn():
    said = refused(model={"name": "own_parts:nothing_to_learn"})
    assert said.startswith("model own_parts:nothing_to_learn: ")
    assert "no parameters" in said


def test_the_digits_need_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert "pip install 'distgrad[datasets]'" in refused("data.source={name = 'digits'}")
