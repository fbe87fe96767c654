"""How step time grows: points, the line through them, the plot."""

import dataclasses
import itertools
import json
import math

import pytest


@pytest.fixture
def growth(load):
    return load("growth")


@pytest.mark.parametrize("name", ["parameters", "width", "micro-batches", "micro-batch", "depth"])
def test_measures_points_of_each_curve(growth, name):
    sizes = growth.CURVES[name].sizes[:2]
    small = dataclasses.replace(growth.CURVES[name], sizes=sizes)
    points = growth.measure(small, rounds=2, seconds=0.0)
    assert points[0]["x"] < points[1]["x"]
    assert all(len(point["ms"]) == 2 and min(point["ms"]) > 0 for point in points)


def test_a_chain_has_as_many_operations_as_asked_for(growth):
    import distgrad as dg

    x = dg.full((8, 16), 2.0)
    assert growth.Chain(3)(x)[0, 0].item() == pytest.approx(0.5 * math.tanh(0.5 * 2.0))


def test_a_step_trains(growth):
    module = growth.perceptron(4, 2)
    before = [parameter.detach().numpy().copy() for parameter in module.parameters()]
    for _ in itertools.islice(growth.steps(module, 4, 2, 3), 2):
        pass
    changed = [
        (p.detach().numpy() != b).any() for p, b in zip(module.parameters(), before, strict=True)
    ]
    assert all(changed)


def test_fits_a_line_to_the_fastest_steps(growth):
    def points(*pairs):
        return [{"x": x, "ms": [2 * ms, ms, 100 * ms]} for x, ms in pairs]

    exact = growth.fit(points((1, 5.0), (10, 23.0), (100, 203.0)))
    assert exact["fixed_ms"] == pytest.approx(3.0)
    assert exact["ms_of_one"] == pytest.approx(2.0)
    assert exact["deviations"] == pytest.approx([0, 0, 0], abs=1e-12)
    bent = growth.fit(points((1, 1.0), (10, 100.0), (100, 10000.0)))
    assert max(map(abs, bent["deviations"])) > 0.3


def test_the_program(program, tmp_path):
    path = tmp_path / "new" / "growth.json"
    done = program("growth.py", "parameters", "--rounds", 1, "--output", path)
    assert done.returncode == 0, done.stderr
    (curve,) = json.loads(path.read_text())["curves"].values()
    assert len(curve["deviations"]) == len(curve["points"]) == 7
    assert "| parameters (layers of 256) | 65,792 | 4,210,688 |" in done.stdout
    assert ("no plot without matplotlib" in done.stderr) != path.with_suffix(".svg").exists()


def test_draws_each_curve_and_the_same_file_for_the_same_result(load, tmp_path):
    pytest.importorskip("matplotlib")
    points = [{"x": x, "ms": [2.0 * x]} for x in (1, 10)]
    curve = {"title": "parameters of it", "points": points, "fixed_ms": 0.0, "ms_of_one": 2.0}
    paths = [tmp_path / "new" / f"{name}.svg" for name in "ab"]
    for path in paths:
        load("plots").draw_growth({"curves": {"one": curve, "two": curve}}, path)
    first, second = (path.read_text() for path in paths)
    assert first == second
    assert first.count("parameters of it") >= 2
