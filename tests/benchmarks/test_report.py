"""Results as tables."""

import json

import pytest


@pytest.fixture
def report(load):
    return load("report")


def spreads(value):
    spread = {"median": value, "min": value, "max": value}
    return dict.fromkeys(("step_ms", "step_p90_ms", "first_step_s", "peak_memory_mb"), spread)


def test_quotes_the_ratio_to_the_fastest_peer(report):
    result = {
        "summary": {"us": spreads(3.0), "slow": spreads(6.0), "fast": spreads(4.0)},
        "ratios": {"slow": spreads(0.5), "fast": spreads(0.75)},
    }
    *_, slow, fast = report.table(result).splitlines()
    assert slow.startswith("| us / slow ")
    assert fast.startswith("| **us / fast** ")
    assert fast.count(" 0.75 (0.75 to 0.75) ") == 4


def test_one_side_has_no_ratio(report):
    assert "/" not in report.table({"summary": {"us": spreads(3.0)}, "ratios": {}})


def test_shows_small_parts_of_a_step_together(report):
    parts = [("conv2d", 6.0), ("relu", 2.0), ("add", 0.01), ("exp", 0.03)]
    table = report.profile_table(
        {
            "timed_step_ms": 10.0,
            "parts": [{"name": name, "ms": ms, "calls": 8.0} for name, ms in parts],
        }
    )
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert cells[2:] == [
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
