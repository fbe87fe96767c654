"""Captured passes and updates on ranks that share gradients have the bits of one rank without."""

import json
from pathlib import Path

import pytest
from helpers import emulator
from helpers.mpi import mpirun

pytestmark = pytest.mark.skipif(
    not emulator.available(), reason="no g++ here to compile CUDA C for the host"
)
TESTS = Path(__file__).parent
TIMEOUT = 150.0


def run(ranks: int, reduction: str, way: str) -> dict:
    program = TESTS / "helpers" / "captured_ranks.py"
    paths = f"{TESTS}:{TESTS.parent}"
    words = ["python", program, reduction, way]
    job = mpirun(ranks, words, TIMEOUT, env={"PYTHONPATH": paths})
    assert job.returncode == 0, job.stderr
    return json.loads(job.stdout.splitlines()[-1])


def test_captured_ranks_have_the_bits_of_one_without_graphs():
    alone = run(1, "tree", "eager")
    together = run(3, "sharded", "captured")
    assert together["hash"] == alone["hash"]
    assert alone["replays"] == [0]
    assert all(number > 5 for number in together["replays"])
