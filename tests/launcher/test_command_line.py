import os
from pathlib import Path

import pytest

from distgrad.launcher import LaunchOptions
from distgrad.launcher import command_line as module
from distgrad.launcher.command_line import (
    RANK_ENVIRONMENT,
    exceeds_cores,
    mpirun_command,
    usable_cores,
)
from distgrad.launcher.mpi_runtime import Mpi
from distgrad.launcher.mpirun import Mpirun

OPEN_MPI_5 = Mpirun(Path("/m/bin/mpirun"), Mpi("openmpi", (5, 0, 11), "Open MPI 5.0.11"))
OPEN_MPI_4 = Mpirun(Path("/m/bin/mpirun"), Mpi("openmpi", (4, 1, 4), "Open MPI 4.1.4"))
MPICH = Mpirun(Path("/m/bin/mpirun"), Mpi("mpich", (5, 0, 2), "MPICH 5.0.2"))
INTEL_MPI = Mpirun(Path("/m/bin/mpiexec.hydra"), Mpi("impi", (2021, 18), "Intel MPI 2021.18"))

COMMAND = ["python", "-m", "distgrad", "train", "a config.toml"]
THREADS = ("MKL", "NUMBA", "OMP", "OPENBLAS")


@pytest.fixture(autouse=True)
def a_user_on_four_cores(monkeypatch, program):
    """With an ssh, and without anything in the environment that would be passed on."""
    monkeypatch.setenv("PATH", str(program("bin/ssh", "").parent))
    for name in ("MPI4PY_LIBMPI", "MPI4PY_MPIABI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "usable_cores", lambda: 4)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv("PYTHONPATH", raising=False)


def pairs(words, flag):
    return [words[i + 1] for i, word in enumerate(words) if word == flag]


def test_open_mpi_5():
    words = mpirun_command(OPEN_MPI_5, LaunchOptions(4), COMMAND)
    environment = [word for item in RANK_ENVIRONMENT.items() for word in ("-x", "=".join(item))]
    assert words == [
        *("/m/bin/mpirun", "-n", "4", "--bind-to", "none", "--output", "tag"),
        *environment,
        *COMMAND,
    ]


def test_open_mpi_4_tags_by_another_option():
    words = mpirun_command(OPEN_MPI_4, LaunchOptions(4), COMMAND)
    assert "--tag-output" in words
    assert "--output" not in words


def test_mpich():
    words = mpirun_command(MPICH, LaunchOptions(4), COMMAND)
    environment = [word for item in RANK_ENVIRONMENT.items() for word in ("-genv", *item)]
    assert words == [
        *("/m/bin/mpirun", "-n", "4", "-bind-to", "none"),
        *("-prepend-pattern", "[%r]<rank>: ", "-print-all-exitcodes"),
        *environment,
        *COMMAND,
    ]


def test_intel_mpi_is_bound_by_its_environment():
    words = mpirun_command(INTEL_MPI, LaunchOptions(4), COMMAND)
    environment = RANK_ENVIRONMENT | {"I_MPI_PIN": "0"}
    assert words == [
        *("/m/bin/mpiexec.hydra", "-n", "4"),
        *("-prepend-pattern", "[%r]<rank>: ", "-print-all-exitcodes"),
        *(word for item in environment.items() for word in ("-genv", *item)),
        *COMMAND,
    ]


def test_temporary_files_of_open_mpi_go_to_the_folder_of_the_job(tmp_path):
    def added(mpirun, options):
        without = mpirun_command(mpirun, options, COMMAND)
        words = mpirun_command(mpirun, options, COMMAND, tmp_path)
        return [word for word in words if word not in without]

    here, there = LaunchOptions(2), LaunchOptions(2, hostfile=Path(__file__))
    local = ["--prtemca", "prte_local_tmpdir_base", str(tmp_path)]
    assert added(OPEN_MPI_5, here) == added(OPEN_MPI_5, there) == local
    assert added(OPEN_MPI_4, here) == ["--mca", "orte_tmpdir_base", str(tmp_path)]
    assert added(OPEN_MPI_4, there) == []
    assert added(MPICH, here) == added(INTEL_MPI, here) == []


def test_open_mpi_4_needs_no_ssh_for_this_machine(tmp_path, monkeypatch):
    assert "--mca" not in mpirun_command(OPEN_MPI_4, LaunchOptions(2), COMMAND)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert pairs(mpirun_command(OPEN_MPI_4, LaunchOptions(2), COMMAND), "--mca") == ["plm"]
    assert "--mca" not in mpirun_command(OPEN_MPI_5, LaunchOptions(2), COMMAND)
    elsewhere = LaunchOptions(2, hostfile=Path(__file__))
    assert "--mca" not in mpirun_command(OPEN_MPI_4, elsewhere, COMMAND)


def test_every_thread_pool_has_one_thread():
    for name in THREADS:
        assert RANK_ENVIRONMENT[f"{name}_NUM_THREADS"] == "1"


@pytest.mark.parametrize("mpirun", [OPEN_MPI_4, OPEN_MPI_5])
def test_root_is_allowed_where_it_is_root_only(mpirun, monkeypatch):
    assert "--allow-run-as-root" not in mpirun_command(mpirun, LaunchOptions(2), COMMAND)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "--allow-run-as-root" in mpirun_command(mpirun, LaunchOptions(2), COMMAND)


@pytest.mark.parametrize(("ranks", "exceeds"), [(1, False), (4, False), (5, True)])
def test_open_mpi_oversubscribes_where_ranks_exceed_cores(ranks, exceeds):
    options = LaunchOptions(ranks)
    assert exceeds_cores(options) is exceeds
    assert ("--oversubscribe" in mpirun_command(OPEN_MPI_5, options, COMMAND)) is exceeds
    assert "--oversubscribe" not in mpirun_command(MPICH, options, COMMAND)


def test_a_hostfile_speaks_for_its_hosts(tmp_path, monkeypatch):
    hosts = tmp_path / "hosts"
    hosts.touch()
    options = LaunchOptions(64, hostfile=hosts)
    open_mpi = mpirun_command(OPEN_MPI_5, options, COMMAND)
    assert pairs(open_mpi, "--hostfile") == [str(hosts)]
    assert "--oversubscribe" not in open_mpi
    assert "PYTHONPATH" not in pairs(open_mpi, "-x")
    assert pairs(mpirun_command(MPICH, options, COMMAND), "-f") == [str(hosts)]
    monkeypatch.setenv("PYTHONPATH", "/checkout")
    assert "PYTHONPATH" in pairs(mpirun_command(OPEN_MPI_5, options, COMMAND), "-x")
    told = Mpirun(OPEN_MPI_5.path, OPEN_MPI_5.mpi, {"MPI4PY_LIBMPI": "/v/lib/libmpi.so.40"})
    assert "MPI4PY_LIBMPI" in pairs(mpirun_command(told, options, COMMAND), "-x")


def test_hardware_threads_of_a_core_count_once(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(module, "_core_of", lambda cpu: f"{cpu % 2},{cpu % 2 + 2}")
    assert usable_cores() == 2


def test_cores_are_at_least_one_and_at_most_what_the_machine_has(monkeypatch):
    monkeypatch.undo()
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


def test_without_affinity_every_processor_counts(monkeypatch):
    monkeypatch.undo()
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores() == 6
