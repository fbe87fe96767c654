"""The benchmarks are programs in a folder, which imports from itself."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Import one of their modules by its name."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


@pytest.fixture
def program():
    """Run one of them in a process of its own."""

    def run(name, *arguments):
        return subprocess.run(
            [sys.executable, str(BENCHMARKS / name), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
