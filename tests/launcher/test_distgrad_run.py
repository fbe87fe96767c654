import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import distgrad.launcher

SCRIPT = Path(distgrad.launcher.__file__).parents[2] / "launch" / "distgrad-run"

pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="this is not a checkout")

# Stands for the command line: tells what it was called with, and whether a rank would find it.
CLI = """
import subprocess, sys

def main(argv):
    print(argv, flush=True)
    code = "import distgrad.cli; print(distgrad.cli.__file__)"
    return subprocess.call([sys.executable, "-c", code])
"""


def test_the_script_opens_the_door_of_its_own_checkout(tmp_path, clean_environment):
    checkout = tmp_path / "checkout"
    (checkout / "distgrad").mkdir(parents=True)
    (checkout / "launch").mkdir()
    (checkout / "distgrad/__init__.py").touch()
    (checkout / "distgrad/cli.py").write_text(CLI)
    shutil.copy(SCRIPT, checkout / "launch")
    done = subprocess.run(
        [sys.executable, checkout / "launch/distgrad-run", "-n", "2", "a b.toml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=clean_environment,
    )
    arguments, cli = done.stdout.splitlines()
    assert arguments == "['launch', '-n', '2', 'a b.toml']"
    assert Path(cli) == checkout / "distgrad/cli.py"


def test_the_script_is_executable():
    assert SCRIPT.stat().st_mode & 0o111
    assert SCRIPT.read_text().startswith("#!/usr/bin/env python3\n")
