"""One hash for every way to divide the same work: ranks, contiguous ranges, reductions."""

import json
from pathlib import Path

import pytest
from helpers import splits
from helpers.mpi import mpirun

TIMEOUT = 240.0


def hashes(ranks: int, division: str) -> dict[str, str]:
    folder = Path(splits.__file__).parent
    job = mpirun(
        ranks,
        ["python", folder / "splits.py", division],
        TIMEOUT,
        env={"PYTHONPATH": str(folder.parent)},
    )
    assert job.returncode == 0, job.stderr
    found: dict[str, str] = json.loads(job.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def of_one_rank() -> dict[str, str]:
    return hashes(1, "even")


def test_both_reductions_give_the_same_bits(of_one_rank):
    kinds = [*splits.CONFIGURED, "parts", *splits.OPTIMIZERS]
    assert len({of_one_rank[f"{kind} tree"] for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert of_one_rank[f"{kind} tree"] == of_one_rank[f"{kind} sharded"], kind


@pytest.mark.parametrize(("ranks", "division"), splits.SPLITS[1:])
def test_every_split_gives_the_bits_of_one_rank(of_one_rank, ranks, division):
    assert hashes(ranks, division) == of_one_rank
