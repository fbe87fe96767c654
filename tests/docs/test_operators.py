"""The page of operators says what the operators do."""

import importlib.util
from types import ModuleType

import numpy as np
import pytest
from helpers.halves import NEEDS_BFLOAT16
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


@NEEDS_BFLOAT16
def test_what_takes_float32_takes_bfloat16(operators: ModuleType) -> None:
    dg.bfloat16  # from now on NumPy knows it by name
    refused = set()
    calls = [
        (getattr(functions, name), name, call)
        for _, _, functions, table in operators.TABLES
        for call, names in table.items()
        for name in names.split()
    ]
    for function, name, call in calls:
        found = []
        for dtype in ("bfloat16", "float32"):
            dg.manual_seed(0)
            outcome = operators.outcome(function, call, dtype)
            found.append(None if outcome is None else list(operators.tensors(outcome[0])))
        half, single = found
        if half is None and single is not None:
            refused.add(name)
        for mine, other in zip(half or (), single or (), strict=half is not None):
            assert mine.dtype == {np.dtype("float32"): dg.bfloat16}.get(other.dtype, other.dtype)
    assert refused == {"nanquantile", "quantile"}


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
