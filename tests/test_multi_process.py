"""Runs the tests of tests/mpi under the real mpirun, so that plain `pytest` runs everything."""

import importlib.util
import re
import time
from pathlib import Path

import pytest
from helpers.mpi import mpirun

pytest.importorskip("mpi4py")

ROOT = Path(__file__).parents[1]
SUITE_TIMEOUT = 300
JOB_TIMEOUT = 60

PYTEST = ["python", "-m", "pytest", "-q", "--only-mpi", "--color=no", "-p", "no:cacheprovider"]


def closing_lines(stdout):
    """Each rank's last line, as numbers by what became of the tests."""
    lines = re.findall(r"^(\d+ (?:passed|failed|skipped|error).*) in [\d.]+s", stdout, re.MULTILINE)
    return [
        {what: int(number) for number, what in re.findall(r"(\d+) (\w+)", line)} for line in lines
    ]


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_the_suite_of_the_ranks(ranks):
    job = mpirun(ranks, [*PYTEST, "tests/mpi"], SUITE_TIMEOUT, cwd=ROOT)
    output = f"--- stdout\n{job.stdout}\n--- stderr\n{job.stderr}"
    assert job.returncode == 0, output
    lines = closing_lines(job.stdout)
    assert len(lines) == ranks, output
    assert lines == [lines[0]] * ranks, output
    assert lines[0]["passed"] > 100, output
    # What may be left out is what PyTorch is the reference of, where it is not installed; and what
    # takes two ranks, on one.
    without_torch = 0 if importlib.util.find_spec("torch") else 1
    if ranks > 1:
        assert lines[0].get("skipped", 0) == without_torch, output


class TestFailuresEndTheJob:
    """A test that fails on one rank must not leave the others waiting for the time limit."""

    CONFTEST = (
        "from helpers.end_job import EndJobOnFailure\n"
        "def pytest_configure(config):\n"
        "    config.pluginmanager.register(EndJobOnFailure(config))\n"
    )

    def run(self, folder, test, **environment):
        (folder / "conftest.py").write_text(self.CONFTEST)
        (folder / "test_it.py").write_text(test)
        (folder / "pytest.ini").write_text("[pytest]\nmarkers = mpi\n")
        path = {"PYTHONPATH": str(Path(__file__).parent)}
        start = time.monotonic()
        job = mpirun(
            2, [*PYTEST, "-c", folder / "pytest.ini", folder], JOB_TIMEOUT, environment | path
        )
        assert job.returncode != 0
        assert time.monotonic() - start < JOB_TIMEOUT / 2
        return job

    def test_an_assertion_on_one_rank(self, tmp_path):
        job = self.run(
            tmp_path,
            "import pytest\n"
            "from mpi4py import MPI\n"
            "@pytest.mark.mpi\n"
            "def test_it():\n"
            "    assert MPI.COMM_WORLD.rank == 0, 'the last words'\n"
            "    MPI.COMM_WORLD.Barrier()\n",
        )
        assert "rank 1 of 2 failed: test_it.py::test_it (call)" in job.stderr
        assert "AssertionError: the last words" in job.stderr

    def test_an_import_that_fails_on_one_rank(self, tmp_path):
        job = self.run(
            tmp_path,
            "import pytest\n"
            "from mpi4py import MPI\n"
            "assert MPI.COMM_WORLD.rank == 0, 'the last words'\n"
            "@pytest.mark.mpi\n"
            "def test_it():\n"
            "    MPI.COMM_WORLD.Barrier()\n",
        )
        assert "AssertionError: the last words" in job.stdout + job.stderr
        assert "rank 1 of 2 failed: see above" in job.stderr

    def test_a_test_that_hangs(self, tmp_path):
        job = self.run(
            tmp_path,
            "import pytest\n"
            "from mpi4py import MPI\n"
            "@pytest.mark.mpi\n"
            "def test_it():\n"
            "    if MPI.COMM_WORLD.rank == 0:\n"
            "        MPI.COMM_WORLD.Barrier()\n",
            DISTGRAD_TEST_TIMEOUT="3",
        )
        assert "Timeout (0:00:03)!" in job.stderr
        assert "in test_it" in job.stderr
