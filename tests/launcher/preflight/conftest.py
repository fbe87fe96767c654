import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import deny_system_call

import distgrad

ROOT = Path(distgrad.__file__).parents[1]
TIMEOUT = 150


@pytest.fixture
def doctor(tmp_path, clean_environment):
    """Runs ``distgrad doctor --json`` as a process; gives its status and its results by check."""

    def run(*words, before=(), **environment):
        done = subprocess.run(
            [*before, sys.executable, "-m", "distgrad", "doctor", "--json", *map(str, words)],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            cwd=tmp_path,
            env=clean_environment | environment,
            check=False,
        )
        if done.returncode == deny_system_call.CANNOT:
            pytest.skip("no filter of system calls here")
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        document = json.loads(done.stdout)
        assert document["status"] == done.returncode
        return done.returncode, {result["check"]: result for result in document["results"]}

    return run


@pytest.fixture
def privately(tmp_path):
    """Gives the words before a command that is to see changed mounts, which end with it."""

    def words(*mounts):
        if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
            pytest.skip("mounting is for root")
        script = tmp_path / "privately"
        script.write_text("\n".join(["#!/bin/sh", "set -e", *mounts, 'exec "$@"', ""]))
        script.chmod(0o755)
        return ["unshare", "-m", "--propagation", "private", str(script)]

    return words


@pytest.fixture
def without_single_copy():
    """The words before a command that may read no other process's memory."""
    return [sys.executable, deny_system_call.__file__, "process_vm_readv"]
