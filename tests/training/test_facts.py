"""What a configuration leaves open, the run gives: to models from the data, to schedules itself."""

import sys

import numpy as np
import pytest
from helpers.configs import tiny_document

import distgrad as dg
from distgrad.data import Split, TensorDataset
from distgrad.distributed import SingleProcess
from distgrad.errors import UsageError
from distgrad.training import Trainer, parse_config
from distgrad.training.facts import fact_of_data

COMPONENTS = """
from typing import Annotated, NamedTuple

import numpy as np

from distgrad import nn
from distgrad.data import Split, TensorDataset
from distgrad.training import FromRun


class Wide(Split):
    outputs = 3


def wide():
    part = TensorDataset(x=np.ones((40, 1), np.float32), y=np.arange(40) % 3)
    return Wide(part, part)


def perceptron(hidden: int = 4, outputs: Annotated[int | None, FromRun] = None,
               classes: Annotated[int | None, FromRun] = None):
    return nn.Sequential(nn.Linear(1, hidden), nn.Linear(hidden, max(outputs, classes)))
"""


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    (tmp_path / "own_facts.py").write_text(COMPONENTS)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("own_facts", None)


def trainer(source, model, **changes):
    document = tiny_document("training.loss=cross_entropy", "training.max_steps=2") | changes
    document["data"] = document["data"] | {"source": source}
    return Trainer(parse_config(document | {"model": model}), SingleProcess())


def labelled(labels, x_shape=(1, 6, 5)):
    y = np.array(labels)
    return TensorDataset(x=np.zeros((len(y), *x_shape), np.float32), y=y)


def test_the_number_of_classes_is_that_of_both_parts():
    assert fact_of_data(Split(labelled([0, 2]), labelled([4])), "classes") == 5
    assert fact_of_data(Split(labelled([True, False]), labelled([True])), "classes") == 2


def test_what_has_no_classes_tells_none():
    assert fact_of_data(Split(labelled([0, 1]), labelled([0.5])), "classes") is None
    assert fact_of_data(Split(labelled([0, 1]), [(1, 2)]), "classes") is None


def test_an_image_has_three_axes():
    assert fact_of_data(Split(labelled([0]), labelled([0])), "image") == (1, 6, 5)
    assert fact_of_data(Split(labelled([0], (4,)), labelled([0])), "image") is None
    assert fact_of_data(Split([(1, 2)], [(1, 2)]), "image") is None


def test_a_text_tells_its_context_and_its_vocabulary():
    split = dg.data.text(context=16)
    assert fact_of_data(split, "context") == 16
    assert fact_of_data(split, "vocabulary") == len(split.vocabulary)
    assert fact_of_data(dg.data.sine(), "vocabulary") is None


def test_a_model_and_a_source_of_ones_own():
    made = trainer({"name": "own_facts:wide"}, {"name": "own_facts:perceptron"})
    assert made.config.model.arguments == {"hidden": 4, "outputs": 3, "classes": 3}
    assert made.model.module[1].out_features == 3


def test_what_is_given_is_kept():
    model = {"name": "own_facts:perceptron", "outputs": 7}
    assert trainer({"name": "own_facts:wide"}, model).model.module[1].out_features == 7


def test_what_nobody_tells_is_refused():
    with pytest.raises(UsageError) as raised:
        trainer({"name": "sine"}, {"name": "cnn"})
    assert str(raised.value) == (
        "model cnn: classes is not given, and the run does not tell it; set model.classes"
    )


def test_a_schedule_takes_the_steps_of_the_run():
    document = tiny_document("training.max_epochs=2")
    document["scheduler"] = {"name": "warmup_cosine", "warmup_steps": 2}
    made = Trainer(parse_config(document), SingleProcess())
    assert made.config.scheduler.arguments["steps"] == 6


def test_a_schedule_of_a_run_without_a_known_end():
    document = tiny_document("training.patience=2")
    del document["training"]["max_epochs"]
    document["scheduler"] = {"name": "warmup_cosine", "warmup_steps": 2}
    with pytest.raises(UsageError) as raised:
        Trainer(parse_config(document), SingleProcess())
    assert str(raised.value) == (
        "scheduler warmup_cosine: steps is not given, and the run does not tell it; set "
        "scheduler.steps"
    )
