"""The benchmark harness, end to end on a few steps: it measures, compares losses, writes JSON."""

import importlib.util
import json
import math

import pytest

TINY = ["digits", "--warmup", "2", "--steps", "6"]

HAS_TORCH = importlib.util.find_spec("torch") is not None
needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="needs PyTorch")


@pytest.fixture
def measured(program, tmp_path):
    def run(*arguments):
        path = tmp_path / "new" / "result.json"
        done = program("run.py", *arguments, "--output", path)
        assert done.returncode == 0, done.stderr
        return json.loads(path.read_text()), done.stdout

    return run


@pytest.mark.parametrize("ranks", [1, 2])
def test_measures_one_side(measured, ranks):
    if ranks > 1:
        pytest.importorskip("mpi4py")
    result, printed = measured(*TINY, "--ranks", ranks, "--rounds", 2, "--sides", "distgrad")
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
def test_compares_with_pytorch_on_the_same_batches(measured, ranks):
    result, printed = measured(*TINY, "--ranks", ranks, "--rounds", 1)
    assert [run["side"] for run in result["runs"]] == ["distgrad", "torch", "torch-tuned-malloc"]
    assert 0 < result["loss_deviation"] < 1e-4
    ours, torch = (run["measured"] for run in result["runs"][:2])
    ratio = result["ratios"]["torch"]["step_ms"]["median"]
    assert ratio == pytest.approx(ours["step_ms"] / torch["step_ms"])
    assert "distgrad / torch-tuned-malloc" in printed


@pytest.mark.parametrize(("claim", "peer"), [("cnn", "torch-channels-last"), ("gpt", "torch")])
def test_every_model_is_the_same_in_both_libraries(measured, claim, peer):
    sides = ["distgrad", *([peer] if HAS_TORCH else [])]
    tiny = ["--warmup", 1, "--steps", 2, "--ranks", 1, "--rounds", 1]
    result, _ = measured(claim, *tiny, "--sides", *sides)
    assert [run["side"] for run in result["runs"]] == sides
    assert result["loss_deviation"] < 1e-4  # of the first steps, from the same weights


def test_refuses_sides_that_did_not_do_the_same_work(load):
    harness = load("harness")

    def run(side, *losses):
        return {"side": side, "losses": list(losses)}

    expected = run("a", 2.0, 1.0)
    assert harness.loss_difference(run("b", 2.0, 1.00005), expected) == pytest.approx(5e-5)
    for loss in (1.01, math.nan):
        with pytest.raises(RuntimeError, match=r"step 2 differ by .* 1e-04: a \[2.0, 1.0\], b"):
            harness.loss_difference(run("b", 2.0, loss), expected)
    with pytest.raises(RuntimeError, match=r"step 1 differ by 5.0e-05, more than 2e-06"):
        harness.loss_difference(run("b", 2.0001, 1.0), expected)


def test_spread(load):
    harness = load("harness")
    assert harness.spread([4.0, 1.0, 2.0, 3.0, 5.0]) == {
        "median": 3.0,
        "min": 1.0,
        "q1": 2.0,
        "q3": 4.0,
        "max": 5.0,
    }
    assert set(harness.spread([7.0]).values()) == {7.0}


def test_shows_the_output_of_a_worker_that_fails(load):
    broken = load("sides").Side("workers.no_such_worker", lambda command, _: [(command, {})])
    with pytest.raises(RuntimeError, match=r"ended with status 1:[\s\S]*no_such_worker"):
        load("harness").run_side(broken, load("claims").CLAIMS["digits"], ranks=1)


def test_refuses_a_count_below_one(program):
    done = program("run.py", "digits", "--rounds", "0")
    assert done.returncode == 2
    assert "must be at least 1, got 0" in done.stderr
