"""The programs in README and docs run as they stand, alone and under mpirun."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.mpi import mpirun

ROOT = Path(__file__).parents[1]
pytest.importorskip(
    "sklearn", reason="the examples train on digits: pip install 'distgrad[datasets]'"
)


def fenced(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def run_alone(script: Path) -> str:
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_on(ranks: int, script: Path) -> str:
    done = mpirun(ranks, [sys.executable, str(script)], timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_library_example_of_the_readme_gives_every_rank_the_same_accuracy(tmp_path):
    (program,) = fenced(ROOT / "README.md", "python")
    assert len(program.splitlines()) <= 32
    script = tmp_path / "example.py"
    script.write_text(program)
    accuracies = set(re.findall(r"'accuracy': ([\d.]+)", run_alone(script) + run_on(3, script)))
    (accuracy,) = accuracies
    assert float(accuracy) > 0.9


def test_the_example_script_gives_one_hash_for_every_number_of_ranks():
    script = ROOT / "docs" / "examples" / "digits.py"
    outputs = [run_alone(script), run_on(2, script), run_on(4, script)]
    results = {
        re.search(r"accuracy (\S+), weights (\w{64})", output).groups() for output in outputs
    }
    ((accuracy, _),) = results
    assert float(accuracy) > 0.95


def test_the_readme_names_the_two_commands():
    run, test = fenced(ROOT / "README.md", "sh")
    assert run.count("\n") == test.count("\n") == 1
    assert "configs/digits_mlp.toml" in run
    assert "-m pytest" in test
