import os
import subprocess
import sys
from pathlib import Path

import pytest

import distgrad.launcher

ROOT = Path(distgrad.launcher.__file__).resolve().parents[2]
TIMEOUT = 120

DOOR = """
import sys
from distgrad.launcher import LaunchError, LaunchOptions, launch
ranks, mpi, stop_within, *command = sys.argv[1:]
options = LaunchOptions(int(ranks), mpi or None, stop_within=float(stop_within))
try:
    sys.exit(launch([sys.executable, *command], options))
except LaunchError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_status)
"""


class Launches:
    """Launches scripts of a test under the real mpirun, each in a launcher process of its own."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.environment = environment
        self.started = []

    def start(self, ranks, script, *arguments, mpi="", stop_within=60, before=(), **environment):
        """Starts a launch of a script; ``before`` are words to put before the launcher."""
        path = self.folder / "script.py"
        path.write_text(script)
        process = subprocess.Popen(
            [
                *before,
                *(sys.executable, "-c", DOOR, str(ranks), mpi, str(stop_within)),
                *(str(path), *arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment | environment,
        )
        self.started.append(process)
        return process

    def run(self, ranks, script, *arguments, **options):
        process = self.start(ranks, script, *arguments, **options)
        out, err = process.communicate(timeout=TIMEOUT)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def close(self):
        for process in self.started:
            process.kill()  # the guard ends the ranks
            process.communicate(timeout=TIMEOUT)


@pytest.fixture
def clean_environment():
    """The environment of this process as a user's shell would have it: of no MPI job, ours found.

    Without PYTHONUNBUFFERED, which would hide it if the launcher did not see to that itself.
    """
    job = ("OMPI_", "PMI_", "PMIX_", "PRTE_", "HYDI_", "HYDRA_", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(job)}
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture
def launches(tmp_path, clean_environment):
    launches = Launches(tmp_path, clean_environment)
    yield launches
    launches.close()


@pytest.fixture
def program(tmp_path):
    """Writes an executable shell script."""

    def write(path, text):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    return write
