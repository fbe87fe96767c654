import io
import re

import pytest

from distgrad.training.report import with_progress
from distgrad.training.step_report import StepReport


def reports(steps, test=None):
    return [StepReport(n, 1, 1 / n, 1e-3, 8, 8.0, 0.1, test=test) for n in range(1, steps + 1)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("out", [io.StringIO, Terminal])
def test_reports_are_passed_on(out):
    given = reports(5)
    assert list(with_progress(given, 5, out())) == given


@pytest.mark.parametrize("steps", [1, 19, 20, 21, 40, 450, 1000])
def test_at_most_20_lines_where_there_is_no_terminal(steps):
    out = io.StringIO()
    list(with_progress(reports(steps), steps, out))
    lines = out.getvalue().splitlines()
    assert 1 <= len(lines) <= 20
    assert all(re.fullmatch(rf"step \d+/{steps}  epoch 1  loss \S+  lr 0\.001", s) for s in lines)


def test_without_an_end_in_sight_the_lines_grow_rare():
    out = io.StringIO()
    list(with_progress(reports(100), None, out))
    steps = [int(line.split()[1]) for line in out.getvalue().splitlines()]
    assert steps == [1, 2, 4, 8, 16, 32, 64]


def test_an_evaluation_is_shown():
    out = io.StringIO()
    list(with_progress(reports(1, {"loss": 0.25, "accuracy": 0.5}), 1, out))
    assert out.getvalue().endswith("lr 0.001  test loss 0.25  test accuracy 0.5\n")


def test_a_terminal_shows_a_bar(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    list(with_progress(reports(3), 3, out))
    assert "3/3" in out.getvalue()
    assert "━" in out.getvalue()


def test_a_rank_shows_lines_even_in_what_looks_like_a_terminal(monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    out = Terminal()
    list(with_progress(reports(3), 3, out))
    assert len(out.getvalue().splitlines()) == 3
