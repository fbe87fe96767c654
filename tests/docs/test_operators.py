"""The page of operators says what the operators do."""

import importlib.util
from types import ModuleType

import pytest
from helpers.pages import DOCS

import distgrad as dg


@pytest.fixture(scope="module")
def operators() -> ModuleType:
    spec = importlib.util.spec_from_file_location("operators_page", DOCS / "operators.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_operator_is_on_the_page(operators: ModuleType) -> None:
    assert operators.missing() == set(), "give these a call in docs/operators.py, or remove them"


def test_the_page_is_what_the_operators_show(operators: ModuleType) -> None:
    made = operators.page().splitlines()
    shown = operators.PAGE.read_text(encoding="utf-8").splitlines()
    assert made == shown, "run python docs/operators.py"


def test_what_the_words_mean(operators: ModuleType) -> None:
    assert operators.dtypes(["bool", "uint8", "int64"]) == "bool, integers"
    assert operators.dtypes(["int64", "float32", "float64"]) == "int64, float32, float64"
    assert operators.dtypes(["float16", "float32", "float64"]) == "floats"
    given = operators.arguments("float64")
    assert operators.gradients(given["x"] * 2, given) == "every order"
    assert operators.gradients(given["x"] > 0, given) == "none"
    assert operators.places("abs", "dg") == "`dg`, `Tensor`, in place"
    assert operators.outcome(dg.gcd, "x, y", "float32") is None
    with pytest.raises(ValueError, match=r"dg\.gcd\(m, v, 'no'\) takes no data type: is the call"):
        list(operators.facts("dg", dg, {"m, v, 'no'": "gcd"}))
