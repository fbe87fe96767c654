import subprocess
import sys

import pytest
from helpers.mounts import read_only, small_disk

from distgrad.launcher import LaunchError, LaunchOptions
from distgrad.launcher.mpi_runtime import loaded_library
from distgrad.launcher.preflight.quick import check_launch

MEET = "from mpi4py import MPI; MPI.COMM_WORLD.Barrier(); print('met')"
SMALL = "mount -t tmpfs -o size=1m tmpfs /dev/shm"


def test_a_sound_machine_is_not_spoken_of(tmp_path, capsys):
    check_launch("openmpi", LaunchOptions(1, folder=tmp_path))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "disk" not in captured.err


def test_what_costs_something_is_said(tmp_path, capsys):
    with small_disk(tmp_path, "100m"):
        check_launch("openmpi", LaunchOptions(1, folder=tmp_path / "runs"))
    err = capsys.readouterr().err
    assert err.startswith(f"distgrad launch: disk: {tmp_path}: 100 MB of 100 MB free: little. ")
    assert err.endswith("Mend it: distgrad launch --run-dir PATH ...   # on another disk\n")


def test_what_surely_fails_is_refused(tmp_path):
    with read_only(tmp_path), pytest.raises(LaunchError) as caught:
        check_launch("openmpi", LaunchOptions(1, folder=tmp_path / "runs"))
    assert str(caught.value) == (
        f"disk: {tmp_path} cannot be written: Read-only file system. Mend it: distgrad launch "
        "--run-dir PATH ...   # on another disk\nSee all checks: distgrad doctor"
    )


def test_of_other_machines_nothing_is_said(tmp_path, capsys):
    hosts = tmp_path / "hosts"
    hosts.touch()
    with read_only(tmp_path):
        check_launch("mpich", LaunchOptions(10**6, hostfile=hosts, folder=tmp_path / "runs"))
    assert capsys.readouterr().err == ""


def test_in_an_allocation_this_machine_need_not_hold_all_ranks(monkeypatch):
    with pytest.raises(LaunchError, match=r"memory: .* 1000000 ranks take "):
        check_launch(None, LaunchOptions(10**6))
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    check_launch(None, LaunchOptions(10**6))


def test_no_process_is_started(tmp_path):
    code = f"""
import sys
from pathlib import Path
from distgrad.launcher import LaunchOptions
from distgrad.launcher.preflight.quick import check_launch

def watch(event, arguments):
    starts = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "os.exec")
    assert event not in starts, event

sys.addaudithook(watch)
check_launch("openmpi", LaunchOptions(2, folder=Path({str(tmp_path)!r})))
"""
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)


def test_every_launch_looks(launches, privately):
    process = launches.start(2, MEET, before=privately(SMALL))
    out, err = process.communicate(timeout=120)
    if loaded_library().mpi.vendor == "mpich":
        assert process.returncode == 2
        assert b"shared memory: /dev/shm: 1 MB of 1 MB free, 12 MB wanted: the ranks die" in err
        assert out == b""
    else:
        assert process.returncode == 0
        assert b"distgrad launch: shared memory: /dev/shm: 1 MB of 1 MB free" in err
        assert out.count(b"met") == 2
