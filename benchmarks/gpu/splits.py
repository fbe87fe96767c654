"""One training run, its eight micro-batches divided over 1, 2 and 4 ranks on one GPU."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks.gpu.sizes import SIZES

__all__ = ["hashes"]

_RANKS = (1, 2, 4)
_SETTINGS = (
    "run.device=cuda",
    "data.global_batch_size=128",
    "data.micro_batch_size=16",
    "training.max_epochs=100",
)


def hashes(end: float) -> dict[str, Any]:
    """Return the weights' hash after some steps for each division: all must be equal."""
    found = {}
    for ranks in _RANKS:
        found[f"{ranks}x{8 // ranks}"] = _hash(ranks, end)
    return {"ok": len(set(found.values())) == 1, "weights_sha256": found}


def _hash(ranks: int, end: float) -> str:
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "distgrad", "launch", "-n", str(ranks)]
        command += [str(root / "configs" / "digits_mlp.toml"), "--run-dir", f"{folder}/run"]
        for setting in (*_SETTINGS, f"training.max_steps={SIZES.most_steps}"):
            command += ["--set", setting]
        left = max(end - monotonic(), 1)
        done = subprocess.run(command, capture_output=True, text=True, timeout=left, check=False)
        if done.returncode:
            raise RuntimeError(f"{ranks} ranks: {(done.stderr or done.stdout)[-500:]}")
        summary = json.loads(Path(folder, "run", "summary.json").read_text())
    return str(summary["weights_sha256"])
