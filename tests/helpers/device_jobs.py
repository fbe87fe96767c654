"""Runs `helpers.splits_on_device` under mpirun."""

import json
from pathlib import Path

from helpers.mpi import mpirun

__all__ = ["hashes"]

_TIMEOUT = 120.0


def hashes(
    ranks: int, device: str, division: str, precision: str, transport: str
) -> dict[str, str]:
    """The hashes of the weights, by the name of the run; see `helpers.splits_on_device`."""
    here = Path(__file__).parent
    job = mpirun(
        ranks,
        ["python", here / "splits_on_device.py", device, division, precision, transport],
        _TIMEOUT,
        env={"PYTHONPATH": str(here.parent)},
    )
    assert job.returncode == 0, job.stderr
    found: dict[str, str] = json.loads(job.stdout.splitlines()[-1])
    return found
