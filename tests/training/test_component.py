"""Components: found by name or import path, checked by their signature, built."""

import sys
from pathlib import Path

import pytest
from helpers.configs import tiny_document

from distgrad import nn, optim
from distgrad.data import Split
from distgrad.errors import UsageError
from distgrad.training.component import (
    CallbackConfig,
    LossConfig,
    MetricConfig,
    ModelConfig,
    OptimizerConfig,
    SchedulerConfig,
    SourceConfig,
    TransformConfig,
)
from distgrad.training.loading import parse_config
from distgrad.training.registry import BUILT_IN, find

COMPONENTS = """
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Point:
    x: float
    y: float = 0.0


def placed(at: Point):
    return at


class Net:
    def __init__(self, width: int, *, name_of_copy: str = "a", copy=None, path: Path = Path("."),
                 marker: object = object(), betas: tuple[float, float] = (0.5, 0.5)) -> None:
        self.given = (width, name_of_copy, copy, path, betas)


def anything(first, /, *args, scale: "Unresolved" = 1, **rest):
    return first, scale, rest


def picky(size: int):
    raise ValueError(f"size {size} is odd; use an even one")


def reader(path: str):
    return open(path)


not_callable = 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of the user's own, under a name that no other test has."""
    (tmp_path / "own_components.py").write_text(COMPONENTS)
    monkeypatch.syspath_prepend(tmp_path)
    yield "own_components"
    sys.modules.pop("own_components", None)


def said_of_model(**table):
    with pytest.raises(UsageError) as raised:
        parse_config({**tiny_document(), "model": table}, "run.toml")
    return str(raised.value)


def test_every_built_in_component_can_be_found_and_described():
    classes = {
        "model": ModelConfig,
        "source": SourceConfig,
        "optimizer": OptimizerConfig,
        "scheduler": SchedulerConfig,
        "transform": TransformConfig,
        "loss": LossConfig,
        "metric": MetricConfig,
        "callback": CallbackConfig,
    }
    assert set(BUILT_IN) == set(classes)
    for role, config in classes.items():
        for name in BUILT_IN[role]:
            keys = config.known_keys(name)
            assert keys[0] == "name"
            assert not {"params", "optimizer"} & set(keys)


def test_built_in_components_build():
    model = ModelConfig(name="mlp", sizes=[2, 3, 1], dropout=0.5).build()
    assert [type(layer).__name__ for layer in model] == ["LinearReLU", "Dropout", "Linear"]
    optimizer = OptimizerConfig(name="sgd", lr=0.5, momentum=0.9).build(model.parameters())
    assert isinstance(optimizer, optim.SGD)
    assert optimizer.param_groups[0]["momentum"] == 0.9
    scheduler = SchedulerConfig(name="step", step_size=2).build(optimizer)
    assert scheduler.step_size == 2
    split = SourceConfig(name="sine", samples=10, test_samples=4).build()
    assert isinstance(split, Split)
    assert (len(split.train), len(split.test)) == (10, 4)


def test_dropout_does_not_change_the_names_of_layers():
    with_dropout, without = (
        ModelConfig(name="mlp", sizes=[2, 3, 1], dropout=p).build() for p in (0.5, 0.0)
    )
    assert list(with_dropout.state_dict()) == list(without.state_dict())


def test_a_component_by_import_path():
    assert find("model", "distgrad.nn:Linear") is nn.Linear
    layer = ModelConfig(name="distgrad.nn:Linear", in_features=2, out_features=3).build()
    assert layer.in_features == 2


def test_an_own_component_is_checked_by_its_signature(own):
    assert said_of_model(name=f"{own}:Net", widht=3, name_of_copy=1, betas=[1, 2, 3]) == (
        "run.toml has 4 problems:\n"
        "  model.width: is missing\n"
        "  model.name_of_copy = 1: must be a valid string\n"
        "  model.betas = [1, 2, 3]: must have at most 2 items, not 3\n"
        '  model.widht: unknown key; did you mean "width"? Known: name, width, name_of_copy, copy, '
        "path, marker, betas"
    )


def test_an_own_component_gets_what_its_annotations_say(own):
    config = ModelConfig(name=f"{own}:Net", width=3, copy=[1], path="data", betas=[1, 2])
    assert config.build().given == (3, "a", [1], Path("data"), (1.0, 2.0))


def test_defaults_without_toml_are_left_to_the_component(own):
    config = ModelConfig(name=f"{own}:Net", width=3)
    assert config.model_dump(mode="json") == {
        "name": f"{own}:Net",
        "width": 3,
        "name_of_copy": "a",
        "betas": [0.5, 0.5],
    }


def test_keyword_arguments_without_a_name_are_all_known(own):
    config = OptimizerConfig(name=f"{own}:anything", scale="x", more=[1, 2])
    assert config.build("params") == ("params", "x", {"more": [1, 2]})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "mpl",
            'no such model; did you mean "mlp"? Known: mlp, cnn, resnet, gpt, recurrent, or one '
            'of your own as "package.module:callable"',
        ),
        (
            "no_module_of_this_name:Net",
            "the module 'no_module_of_this_name' cannot be imported "
            "(No module named 'no_module_of_this_name')",
        ),
        (":Net", "the module '' cannot be imported (Empty module name)"),
        (
            "own_components:net",
            "the module 'own_components' has no callable 'net'; did you mean "
            '"Net"? Known: dataclass, Path, Point, placed, Net, anything, picky, reader',
        ),
        (
            "own_components:not_callable",
            "the module 'own_components' has no callable "
            "'not_callable'; known: dataclass, Path, Point, placed, Net, anything, picky, reader",
        ),
    ],
)
def test_a_name_that_stands_for_nothing(own, name, message):
    assert said_of_model(name=name, sizes=3) == f'run.toml: model.name = "{name}": {message}'


def test_a_component_without_a_name():
    assert said_of_model(sizes=[1, 2]) == "run.toml: model.name: is missing"
    assert said_of_model(name=3) == "run.toml: model.name = 3: must be a valid string"


def test_a_component_without_a_signature():
    assert said_of_model(name="builtins:dict") == (
        'run.toml: model.name = "builtins:dict": no signature found for builtin type '
        "<class 'dict'>"
    )


def test_values_that_a_component_refuses(own):
    with pytest.raises(UsageError) as raised:
        ModelConfig(name=f"{own}:picky", size=3).build()
    assert str(raised.value) == f"model {own}:picky: size 3 is odd; use an even one"
    with pytest.raises(UsageError) as raised:
        OptimizerConfig(name="sgd", lr=-1.0).build(nn.Linear(1, 1).parameters())
    assert str(raised.value) == "optimizer sgd: Invalid learning rate: -1.0"


def test_a_file_that_a_component_cannot_read(own):
    with pytest.raises(UsageError, match=r"source own_components:reader: .*No such file"):
        SourceConfig(name=f"{own}:reader", path="/no/such/file").build()


def test_a_table_can_be_an_argument(own):
    placed = ModelConfig(name=f"{own}:placed", at={"x": 1}).build()
    assert (placed.x, placed.y) == (1.0, 0.0)
    said = said_of_model(name=f"{own}:placed", at={"y": "up"})
    assert said == (
        "run.toml has 2 problems:\n"
        "  model.at.x: is missing\n"
        '  model.at.y = "up": must be a valid number'
    )
