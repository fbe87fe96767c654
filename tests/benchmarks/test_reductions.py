"""Reductions in turn: what is measured, and what is said of it."""

import json

import pytest


@pytest.fixture
def reductions(load):
    return load("reductions")


def test_a_ratio_is_that_of_two_turns_of_a_round(reductions):
    turns = {
        "tree": [1.0, 6.0, 30.0],
        "tree by MPI": [1.0, 8.0, 15.0],
        "allreduce": [2.0, 2.0, 10.0],
    }
    found = reductions.summary("digits", 2, turns)
    assert found["rounds"] == 3
    ratio = found["ratios"]["allreduce"]
    assert ratio["median"] == pytest.approx(3.0)
    assert (ratio["min"], ratio["max"]) == (0.5, 3.0)
    assert found["ratios"]["tree by MPI"]["median"] == pytest.approx(1.0)
    assert found["step_ms"]["tree"]["median"] == 6.0


def test_a_turn_is_the_median_of_its_steps(reductions):
    steps = iter(range(100))
    assert reductions.run(steps, 5) >= 0
    assert next(steps) == 5


def test_the_program(program, tmp_path):
    done = program("reductions.py", "tiny", "--rounds", 2, "--output", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "new" / "tiny-1.json").read_text())
    assert [len(turns) for turns in result["turns"].values()] == [2, 2, 2]
    assert "| tree / this" in done.stdout
    assert "MLP 8-16-16-1, mean squared error, 1 rank\n" in done.stdout


def test_an_unknown_claim_names_the_known_ones(program):
    done = program("reductions.py", "huge")
    assert done.returncode == 2
    assert "no 'huge'; there are: mlp, cnn" in done.stderr
