import os
from pathlib import Path

import pytest

from distgrad.training.output import RunOutput
from distgrad.training.run_folder import RunFolder
from distgrad.training.step_report import StepReport

REPORTS = [StepReport(step, 1, 0.5, 1e-3, 8, 8.0, 0.1) for step in (1, 2, 3)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_row_that_cannot_be_written_is_a_trouble_and_not_an_error(tmp_path):
    """Rank 0 must go on until the other ranks can be told."""
    with RunOutput(RunFolder(tmp_path / "run")) as output:
        output.folder.add_row({"step": 0})
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, output.folder._metrics)
        os.close(full)
        assert output.trouble() is None
        assert list(output.follow(REPORTS, 3)) == REPORTS
        assert output.trouble() == (
            f"{tmp_path / 'run' / 'metrics.jsonl'} cannot be written (No space left on device); "
            "mend that and go on from the last checkpoint with --resume"
        )
