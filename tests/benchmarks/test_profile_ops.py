"""The profile of a step: parts that add up to it."""

import json
from itertools import count
from types import SimpleNamespace

import pytest


def test_the_parts_of_a_step_add_up(program, tmp_path):
    path = tmp_path / "new" / "profile.json"
    done = program("profile_ops.py", "digits", "--warmup", 2, "--steps", 4, "--output", path)
    assert done.returncode == 0, done.stderr
    result = json.loads(path.read_text())
    calls = {part["name"]: part["calls"] for part in result["parts"]}
    assert all(part["ms"] > 0 for part in result["parts"])
    assert 0 < sum(part["ms"] for part in result["parts"]) < result["timed_step_ms"]
    micro_batches = result["claim"]["micro_batches"]
    assert calls["linear"] == calls["linear, gradient of weight"] == 2 * micro_batches
    assert calls["cross_entropy"] == calls["samples of a micro-batch"] == micro_batches
    assert calls["gradients into their buffer"] == 4 * micro_batches
    assert calls["optimizer"] == calls["record of the step"] == 1
    assert "cross_entropy, gradient of x" in done.stdout
    assert "between them" in done.stdout


@pytest.fixture
def timers(load, monkeypatch):
    """A second passes whenever somebody looks at the clock."""
    module = load("timers")
    seconds = count()
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(seconds)))
    return module.Timers()


def test_time_in_an_inner_function_counts_there_only(timers):
    inner = timers.around("inner", lambda: None)
    outer = timers.around("outer", lambda: [inner(), inner()])
    outer()
    assert timers.taken() == ({"inner": 2, "outer": 3}, {"inner": 2, "outer": 1})
    assert timers.taken() == ({}, {})


def test_an_op_inside_another_one_counts_as_part_of_it(timers):
    inner = timers.around("inner", lambda: None, whole=True)
    outer = timers.around("outer", inner, whole=True)
    around_both = timers.around("both", lambda: [outer(), inner()])
    around_both()
    assert timers.seconds == {"outer": 1, "inner": 1, "both": 3}


def test_nothing_is_timed_while_they_stand(timers):
    function = timers.around("function", lambda: "result")
    timers.running = False
    assert function() == "result"
    assert not timers.seconds
    timers.running = True
    function()
    assert timers.seconds == {"function": 1}


def test_a_function_that_raises_is_timed_too(timers):
    def fail():
        raise ValueError("no")

    failing = timers.around("failing", fail, whole=True)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            failing()
    assert timers.seconds == {"failing": 2}
