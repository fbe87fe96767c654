"""Results as tables."""

import json

import pytest


@pytest.fixture
def report(load):
    return load("report")


MACHINE = {
    key: key
    for key in ("cpu", "cores", "simd", "memory_gb", "system", "libc", "load_before", "commit")
}


def result_of(**step_ms):
    """A result of one round; a side's memory and first step are as long as its steps."""
    measured = {
        side: {"step_ms": ms, "step_p90_ms": 1.5 * ms, "first_step_s": ms, "peak_memory_mb": ms}
        for side, ms in step_ms.items()
    }
    return {
        "name": "tiny",
        "ranks": 2,
        "runs": [{"side": side, "measured": of_side} for side, of_side in measured.items()],
        "summary": {
            side: {
                metric: {"median": value, "min": value, "max": value}
                for metric, value in of_side.items()
            }
            for side, of_side in measured.items()
        },
    }


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_names_the_fastest_peer_and_each_ratio_to_it(report):
    result = result_of(**{"distgrad": 3.0, "distgrad-numba": 2.0, "torch": 6.0, "jax": 4.0})
    heading, _, *rows = cells(report.table(result))
    assert heading[-2:] == ["steps of distgrad / its", "steps of distgrad-numba / its"]
    assert [row[0] for row in rows] == ["distgrad", "distgrad-numba", "torch", "**jax**"]
    assert [row[-2] for row in rows] == [
        "",
        "1.50 (1.50 to 1.50)",
        "0.50 (0.50 to 0.50)",
        "0.75 (0.75 to 0.75)",
    ]
    assert rows[0][1:3] == ["3 (3 to 3)", "1.50 (1.50 to 1.50)"]


def test_the_floor_below_the_peers_is_none_of_them(report):
    result = result_of(**{"distgrad": 3.0, "torch": 6.0, "raw-mpi-tuned-malloc": 1.0})
    assert report.best_peer(result) == "torch"
    assert report.best_peer(result_of(distgrad=3.0)) is None


def test_the_summary_has_memory_and_first_step_beside_the_least_of_pytorch(report):
    result = result_of(
        **{"distgrad": 3.0, "torch": 6.0, "torch-compile": 5.0, "jax": 2.0, "distgrad-numba": 1.0}
    )
    ratio = "{0:.2f} ({0:.2f} to {0:.2f})".format
    first, second = cells(report.summary_table([result]))[2:]
    assert first == ["tiny", "2", "distgrad", "3", "jax, 2", ratio(1.5), "1.50", *[ratio(0.6)] * 2]
    assert second[2:6] == ["distgrad-numba", "1", "jax, 2", ratio(0.5)]


def test_a_summary_without_peers_stays_empty_there(report):
    (row,) = cells(report.summary_table([result_of(distgrad=3.0)]))[2:]
    assert row == ["tiny", "2", "distgrad", "3", "", "", "1.50", "", ""]


def test_names_whose_version_it_is_where_sides_differ(report):
    result = {
        **result_of(distgrad=1.0, torch=2.0),
        "claim": {"title": "T", "steps": 3, "micro_batches": 4, "micro_batch": 8},
        "rounds": 1,
        "loss_deviation": 1e-7,
        "machine": MACHINE,
        "date": "today",
        "versions": {
            "distgrad": {"python": "3.11", "blas": ["openblas", "other"]},
            "torch": {"python": "3.11", "blas": ["mkl"]},
        },
    }
    heading = report.heading(result)
    assert heading.startswith("### T, 2 ranks")
    assert "python 3.11, blas openblas + other (distgrad), blas mkl (torch)" in heading


def test_comparisons_stand_in_the_order_of_the_claims(report, tmp_path):
    for number, (name, ranks) in enumerate([("tiny", 1), ("mlp", 2), ("mlp", 1)]):
        text = json.dumps({"name": name, "ranks": ranks})
        (tmp_path / f"{number}.json").write_text(text)
    found = [(result["name"], result["ranks"]) for result in report.in_order(tmp_path)]
    assert found == [("mlp", 1), ("mlp", 2), ("tiny", 1)]


def test_growth_as_a_table(report):
    points = [{"x": 10, "ms": [1.0, 3.0, 2.0]}, {"x": 1000, "ms": [50.0]}]
    curve = {"title": "depth", "points": points, "fixed_ms": 0.5, "deviations": [0.04, -0.123]}
    (row,) = cells(report.growth_table({"curves": {"depth": curve}}))[2:]
    assert row == ["depth", "10", "1,000", "1 to 50", "0.5 ms", "12.3%"]


def test_shows_small_parts_of_a_step_together(report):
    parts = [("conv2d", 6.0), ("relu", 2.0), ("add", 0.01), ("exp", 0.03)]
    table = report.profile_table(
        {
            "timed_step_ms": 10.0,
            "parts": [{"name": name, "ms": ms, "calls": 8.0} for name, ms in parts],
        }
    )
    assert cells(table)[2:] == [
        ["conv2d", "6.00", "60.0%", "8"],
        ["relu", "2.00", "20.0%", "8"],
        ["smaller parts together", "0.04", "0.4%", ""],
        ["between them: recording, modules, Python", "1.96", "19.6%", ""],
    ]


def test_reads_a_folder_in_the_order_of_its_files(report, tmp_path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"name": name}))
    shown = report.all_results(tmp_path, lambda r: r["name"], lambda r: r["name"].upper())
    assert shown == "a\n\nA\n\nb\n\nB"
    assert report.all_results(tmp_path / "missing", str) == ""


def test_fills_a_page_between_its_marks(report):
    page = "one\n<!-- x -->\nold\n<!-- end of x -->\ntwo\n<!-- y -->\n<!-- end of y -->\n"
    filled = "one\n<!-- x -->\n\nnew\n\n<!-- end of x -->\ntwo\n<!-- y -->\n<!-- end of y -->\n"
    assert report.filled_in(page, "x", "new") == filled
    assert report.filled_in(filled, "x", "new") == filled


def test_tables_of_the_results_kept(program):
    done = program("report.py")
    assert done.returncode == 0, done.stderr
