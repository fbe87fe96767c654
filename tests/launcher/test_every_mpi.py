"""What a launch promises, under each MPI that is installed here."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from helpers.jobs import STEPS, end, gone, mpirun_of, rank_processes
from helpers.mpi import installed

from distgrad.launcher.leftovers import MARK
from distgrad.launcher.mpi_runtime import VENDOR_NAMES

pytestmark = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")

RANKS = 2


@pytest.fixture(params=[mpi for mpi in VENDOR_NAMES if installed(mpi)])
def mpi(request):
    return request.param


def shared_files(processes):
    """The files of MPI that processes have mapped: shared memory, and those of the session."""
    places = ("/dev/shm/", "/tmp/hydra", "/tmp/ompi", str(folder_of(processes[0])))
    files = set()
    for process in processes:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            path = line.split(maxsplit=5)[-1]
            if path.startswith(places) and not path.endswith("(deleted)"):
                files.add(Path(path))
    return files


def folder_of(process):
    entries = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    mark = next(entry for entry in entries if entry.startswith(MARK.encode() + b"="))
    return Path(os.fsdecode(mark.partition(b"=")[2]))


def assert_nothing_left(processes, files):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        left = [process for process in processes if not gone(process)]
        left += [file for file in files if file.exists()]
        if not left:
            return
        time.sleep(0.05)
    raise AssertionError(f"left after 30 s: {left}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_ranks_after_the_same_step(mpi, number, launches):
    launcher = launches.start(RANKS, STEPS, mpi=mpi)
    processes = rank_processes(launcher, RANKS)
    files = shared_files(processes)
    launcher.send_signal(number)
    status, out, err = end(launcher)
    assert status == 130
    assert len(out) == RANKS
    assert len({line.partition("] ")[2] for line in out}) == 1
    assert [line.partition(" the ranks ")[0] for line in err] == [
        f"distgrad launch: {number.name}:"
    ]
    assert_nothing_left(processes, files)


def test_ranks_that_are_only_just_starting_are_ended_by_the_request(mpi, launches):
    launcher = launches.start(RANKS, STEPS, "starting", mpi=mpi)
    processes = rank_processes(launcher, RANKS)
    launcher.terminate()
    status, out, err = end(launcher)
    assert (status, out) == (130, [])
    assert len(err) == 1, err
    assert all(map(gone, processes))


def test_a_second_signal_kills_at_once(mpi, launches):
    launcher = launches.start(RANKS, STEPS, "deaf", mpi=mpi)
    processes = rank_processes(launcher, RANKS)
    files = shared_files(processes)
    launcher.send_signal(signal.SIGINT)
    assert b"a second signal kills them" in launcher.stderr.readline()
    launcher.send_signal(signal.SIGINT)
    status, out, err = end(launcher)
    assert (status, out, err) == (130, [], [])
    assert_nothing_left(processes, files)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
@pytest.mark.parametrize("rank", range(RANKS))
def test_a_lost_rank_is_named(mpi, rank, number, launches):
    launcher = launches.start(RANKS, STEPS, mpi=mpi)
    processes = rank_processes(launcher, RANKS)
    files = shared_files(processes)
    time.sleep(1)  # the launcher looks for the ranks now and then
    os.kill(processes[rank], number)
    status, _, err = end(launcher)
    assert status == 4
    said = [line for line in err if line.startswith("distgrad launch: ")]
    named = re.fullmatch(
        r"distgrad launch: (.+?) on [^\s,]+( \(process \d+\))?(, the first to end,)? was ended by "
        rf"signal {number} \({signal.strsignal(number)}\)",
        said[0],
    )
    assert named, said
    # Hydra itself ends the others by SIGKILL, and does not tell who was the first.
    if named[3] or (named[1] == "a rank" and number == signal.SIGKILL and mpi != "openmpi"):
        assert named[1] in {"a rank", "rank 0", "rank 1"}
    else:
        assert named[1] == f"rank {rank}"
    assert said[-1].endswith("with --resume goes on from the run's last checkpoint.")
    assert_nothing_left(processes, files)


def test_no_rank_outlives_mpirun(mpi, launches):
    launcher = launches.start(RANKS, STEPS, mpi=mpi)
    processes = rank_processes(launcher, RANKS)
    files = shared_files(processes)
    os.kill(mpirun_of(launcher, processes[0]), signal.SIGKILL)
    assert end(launcher)[0] == 4
    assert_nothing_left(processes, files)


def test_nothing_outlives_the_launcher(mpi, launches):
    launcher = launches.start(RANKS, STEPS, mpi=mpi)
    processes = rank_processes(launcher, RANKS)
    files = shared_files(processes) | {folder_of(processes[0])}
    processes.append(mpirun_of(launcher, processes[0]))
    launcher.kill()
    launcher.wait()
    assert_nothing_left(processes, files)


# All ranks meet and then end with a status, or one of them ends the job, or leaves it.
ENDS = """
import os, sys, time
from mpi4py import MPI
comm = MPI.COMM_WORLD
assert comm.allreduce(1) == int(sys.argv[1])
how, status = sys.argv[2], int(sys.argv[3])
if how == "all":
    sys.exit(status)
if comm.rank == 1:
    time.sleep(0.5)
    comm.Abort(status) if how == "abort" else os._exit(status)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["all", "abort", "leave"])
@pytest.mark.parametrize("status", [2, 5])
def test_the_status_that_ranks_end_with_is_passed_on(mpi, how, status, launches):
    done = launches.run(RANKS, ENDS, str(RANKS), how, str(status), mpi=mpi)
    assert done.returncode == status, done.stderr.decode()
    assert b"--resume" not in done.stderr


def test_this_machine_needs_no_ssh(mpi, launches, tmp_path):
    mpirun = installed(mpi)
    (tmp_path / mpirun.path.name).symlink_to(mpirun.path)
    (tmp_path / "sh").symlink_to("/bin/sh")
    done = launches.run(
        RANKS, ENDS, str(RANKS), "all", "0", mpi=mpi, PATH=str(tmp_path), **mpirun.environment
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
