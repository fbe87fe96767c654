"""What the documentation says of the configuration is so: each key, component and file."""

import tomllib
from inspect import Parameter
from typing import Any

import pytest
from helpers.configs import tiny_document
from helpers.pages import DOCS, PAGES, blocks, code_spans, name_of, rows, section, write_files

from distgrad.training import FromRun, parse_config
from distgrad.training.component import ComponentConfig
from distgrad.training.config import Config
from distgrad.training.registry import BUILT_IN
from distgrad.training.signature import parameters_of
from distgrad.training.toml import format_value

PAGE = DOCS / "configuration.md"
HEADINGS = {
    "model": "### Models",
    "source": "### Sources",
    "transform": "### Augmentations",
    "optimizer": "### Optimizers",
    "scheduler": "### Schedules",
    "loss": "### Losses",
    "metric": "### Metrics",
    "callback": "### Callbacks",
}
SUPPLIED = {"optimizer": 1, "scheduler": 1}


def section_model(name: str) -> type[Any]:
    annotation = Config.model_fields[name].annotation
    return next(iter(getattr(annotation, "__args__", (annotation,))))


@pytest.mark.parametrize("name", Config.model_fields)
def test_every_key_of_every_section_stands_on_the_page_with_its_default(name):
    text = section(PAGE, f"## `[{name}]`")
    model = section_model(name)
    if issubclass(model, ComponentConfig):
        return
    told = {code_spans(key)[0]: default for key, default, _ in rows(text)}
    assert list(told) == list(model.model_fields)
    for key, field in model.model_fields.items():
        if field.is_required():
            assert told[key] == "required" or (name, key) == ("run", "name")
        elif field.default in (None, ()):
            assert told[key] == "none"
        else:
            assert told[key] == f"`{format_value(field.default)}`"


@pytest.mark.parametrize("role", BUILT_IN)
def test_every_component_stands_on_the_page_with_its_arguments(role):
    text = section(PAGE, HEADINGS[role])
    told = {code_spans(name)[0]: code_spans(arguments) for name, arguments, *_ in rows(text)}
    assert set(told) == set(BUILT_IN[role])
    if role == "loss":
        return
    for name, component in BUILT_IN[role].items():
        own = {
            spelled(parameter)
            for parameter in parameters_of(component, SUPPLIED.get(role, 0)).values()
        }
        assert set(told[name]) <= own
        assert own - set(told[name]) <= set(code_spans(text)), f"{name} lacks an argument"


def spelled(parameter: Parameter) -> str:
    """An argument as the page has it: with its default, where that says what happens."""
    is_open = FromRun in getattr(parameter.annotation, "__metadata__", ())
    if is_open or parameter.default is None or parameter.default is Parameter.empty:
        return parameter.name
    return f"{parameter.name} = {format_value(parameter.default)}"


def test_every_loss_stands_on_the_page_with_what_it_measures():
    for name, _, _, measures in rows(section(PAGE, HEADINGS["loss"])):
        objective = BUILT_IN["loss"][code_spans(name)[0]]
        assert code_spans(measures) == [*objective.metrics, *objective.derived]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "toml")], ids=name_of)
def test_the_configurations_of_a_page_are_valid(page, tmp_path, monkeypatch):
    write_files(page, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for block in blocks(page, "toml"):
        document = tomllib.loads(block.text)
        parse_config(merged(tiny_document(), document))
        if block.file:  # it is to be whole
            parse_config({"run": {"name": "own"}, **document})


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A configuration with the tables of another one; a component replaces one of another name."""
    result = dict(base)
    for key, value in changes.items():
        is_same = isinstance(value, dict) and isinstance(base.get(key), dict)
        if is_same and value.get("name", base[key].get("name")) == base[key].get("name"):
            value = merged(base[key], value)
        result[key] = value
    return result
