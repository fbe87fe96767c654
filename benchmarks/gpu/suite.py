"""All of tests/gpu."""

import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

__all__ = ["run"]


def run(end: float) -> dict[str, Any]:
    """Return pytest's verdict."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/gpu"]
    left = max(end - monotonic(), 1)
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=left, check=False
    )
    lines = done.stdout.strip().splitlines()
    return {"ok": done.returncode == 0, "verdict": lines[-1] if lines else done.stderr[-500:]}
