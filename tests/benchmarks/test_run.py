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
    sides = ["distgrad", "torch", "torch-tuned-malloc"]
    result, printed = measured(*TINY, "--ranks", ranks, "--rounds", 1, "--sides", *sides)
    assert [run["side"] for run in result["runs"]] == sides
    assert 0 < result["loss_deviation"] < 1e-4
    assert "steps of distgrad / its" in printed


@pytest.mark.parametrize(("claim", "peer"), [("cnn", "torch-channels-last"), ("gpt", "torch")])
def test_every_model_is_the_same_in_both_libraries(measured, claim, peer):
    sides = ["distgrad", *([peer] if HAS_TORCH else [])]
    tiny = ["--warmup", 1, "--steps", 2, "--ranks", 1, "--rounds", 1]
    result, _ = measured(claim, *tiny, "--sides", *sides)
    assert [run["side"] for run in result["runs"]] == sides
    assert result["loss_deviation"] < 1e-4  # of the first steps, from the same weights


@pytest.mark.parametrize(("claim", "ranks"), [("tiny", 2), ("digits", 1)])
def test_raw_mpi_trains_the_same_perceptrons(measured, claim, ranks):
    if ranks > 1:
        pytest.importorskip("mpi4py")
    arguments = [claim, "--warmup", 2, "--steps", 4, "--ranks", ranks, "--rounds", 1]
    result, _ = measured(*arguments, "--sides", "distgrad", "raw-mpi")
    assert [run["side"] for run in result["runs"]] == ["distgrad", "raw-mpi"]
    assert result["loss_deviation"] < 1e-5


@pytest.mark.parametrize(
    "side", ["distgrad-numba", "torch-compile", "accelerate", "jax", "jax-unrolled", "chainermn"]
)
def test_other_peers_do_the_same_work_where_they_are(load, measured, side):
    lacks = load("sides").SIDES[side].lacks
    if lacks:
        pytest.skip(lacks)
    arguments = ["tiny", "--warmup", 2, "--steps", 4, "--ranks", 2, "--rounds", 1]
    result, _ = measured(*arguments, "--sides", "raw-mpi", side)
    assert [run["side"] for run in result["runs"]] == ["raw-mpi", side]
    assert result["loss_deviation"] < 1e-5


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


def run_of(side, number, **measured):
    return {"side": side, "round": number, "measured": dict.fromkeys(METRICS, 1.0) | measured}


METRICS = ("step_ms", "step_p90_ms", "first_step_s", "peak_memory_mb")


def test_ratios_are_taken_within_rounds(load):
    runs = [
        run_of("a", 1, step_ms=2.0),
        run_of("b", 1, step_ms=1.0),
        run_of("a", 2, step_ms=30.0),
        run_of("b", 2, step_ms=10.0),
    ]
    ratio = load("harness").ratios(runs, "a", "b")["step_ms"]
    assert (ratio["min"], ratio["median"], ratio["max"]) == (2.0, 2.5, 3.0)


def test_each_round_begins_with_another_side(load, monkeypatch):
    harness, side = load("harness"), load("sides").Side
    monkeypatch.setattr(
        harness, "run_side", lambda side, *_: {"losses": [1.0], **run_of(side.worker, 0)}
    )
    sides = {name: side(name, list) for name in "abc"}
    found = harness.compare(load("claims").CLAIMS["tiny"], 1, 4, sides, lambda line: None)
    assert "".join(run["side"] for run in found["runs"]) == "abcbcacababc"


def test_what_compiles_runs_once_before_the_rounds(load, monkeypatch):
    harness, side = load("harness"), load("sides").Side
    seen = []

    def run_side(side, claim, ranks):
        seen.append((side.worker, claim.steps))
        return {"losses": [1.0], **run_of(side.worker, 0)}

    monkeypatch.setattr(harness, "run_side", run_side)
    sides = {"plain": side("plain", list), "compiled": side("compiled", list, compiles=True)}
    claim = load("claims").CLAIMS["tiny"]
    harness.compare(claim, 1, 2, sides, lambda line: None)
    measured = [("plain", claim.steps), ("compiled", claim.steps)]
    assert seen == [("compiled", 2), *measured, *measured[::-1]]


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
