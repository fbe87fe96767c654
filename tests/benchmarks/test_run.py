"""The benchmark harness, end to end on a few steps: it measures, compares losses, writes JSON."""

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TINY = ["digits", "--warmup", "2", "--steps", "6"]

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch")


def script(name, *arguments):
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def measured(path, *arguments):
    done = script("run.py", *TINY, *arguments, "--output", path)
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text()), done.stdout


@pytest.fixture(scope="module")
def harness():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield importlib.import_module("harness")
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize("ranks", [1, 2])
def test_measures_one_side(tmp_path, ranks):
    if ranks > 1:
        pytest.importorskip("mpi4py")
    result, printed = measured(
        tmp_path / "new" / "result.json", "--ranks", ranks, "--rounds", 2, "--sides", "distgrad"
    )
    assert result["ranks"] == ranks
    assert [run["round"] for run in result["runs"]] == [1, 2]
    for spread in result["summary"]["distgrad"].values():
        assert 0 < spread["min"] <= spread["q1"] <= spread["median"]
        assert spread["median"] <= spread["q3"] <= spread["max"] < math.inf
    assert result["machine"]["cores"] >= 1
    assert result["machine"]["cpu"]
    assert result["versions"]["distgrad"]["blas"]
    assert result["loss_deviation"] == 0
    assert "| distgrad" in printed


@needs_torch
@pytest.mark.parametrize("ranks", [1, 2])
def test_compares_with_pytorch_on_the_same_batches(tmp_path, ranks):
    result, printed = measured(
        tmp_path / "result.json",
        *("--ranks", ranks, "--rounds", 1, "--sides", "distgrad", "torch", "torch-tuned-malloc"),
    )
    assert [run["side"] for run in result["runs"]] == ["distgrad", "torch", "torch-tuned-malloc"]
    assert 0 < result["loss_deviation"] < 1e-4
    ours, torch = (run["measured"] for run in result["runs"][:2])
    ratio = result["ratios"]["torch"]["step_ms"]["median"]
    assert ratio == pytest.approx(ours["step_ms"] / torch["step_ms"])
    assert "distgrad / torch**" in printed


def test_refuses_sides_that_did_not_do_the_same_work(harness):
    def run(side, *losses):
        return {"side": side, "losses": list(losses)}

    alike = {"a": [run("a", 2.0, 1.0)], "b": [run("b", 2.0, 1.00005)]}
    assert harness.checked_losses(alike) == pytest.approx(5e-5)
    for loss in (1.01, math.nan):
        with pytest.raises(RuntimeError, match=r"losses differ by .*: a \[2.0, 1.0\], b"):
            harness.checked_losses(alike | {"b": [run("b", 2.0, loss)]})


def test_spread(harness):
    assert harness.spread([4.0, 1.0, 2.0, 3.0, 5.0]) == {
        "median": 3.0,
        "min": 1.0,
        "q1": 2.0,
        "q3": 4.0,
        "max": 5.0,
    }
    assert set(harness.spread([7.0]).values()) == {7.0}


def test_shows_the_output_of_a_worker_that_fails(harness, tmp_path):
    sides = importlib.import_module("sides")
    claim = importlib.import_module("claims").CLAIMS["digits"]
    broken = sides.Side("workers.no_such_worker", lambda command, _: [(command, {})])
    with pytest.raises(RuntimeError, match=r"ended with status 1:[\s\S]*no_such_worker"):
        harness.run_side(broken, claim, ranks=1)


def test_tables_of_the_results_kept():
    done = script("report.py")
    assert done.returncode == 0, done.stderr


def test_refuses_a_count_below_one():
    done = script("run.py", "digits", "--rounds", "0")
    assert done.returncode == 2
    assert "must be at least 1, got 0" in done.stderr
