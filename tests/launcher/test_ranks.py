import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distgrad.launcher.ranks import FirstToEnd, ranks_here

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc"),
]

MARK = f"DISTGRAD_JOB=/nowhere/{os.getpid()}"

WAIT = "import time; print('ready', flush=True); time.sleep(60)"
WITH_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAIT!r}])"


@pytest.fixture
def start():
    """Starts a process as a rank of the marked job, or of none."""
    started = []

    def start_one(code=WAIT, **environment):
        name, _, value = MARK.partition("=")
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, name: value, **environment},
        )
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start_one
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_the_ranks_of_every_mpi_are_found_and_no_other_process(start):
    assert ranks_here(MARK) == {}
    open_mpi = start(OMPI_COMM_WORLD_RANK="3")
    mpich = start(PMI_RANK="12")
    start()
    start(PMI_RANK="1", DISTGRAD_JOB="/another")
    assert ranks_here(MARK) == {open_mpi.pid: 3, mpich.pid: 12}


def test_what_a_rank_has_started_is_not_counted(start):
    rank = start(WITH_CHILD, PMI_RANK="0")
    assert ranks_here(MARK) == {rank.pid: 0}


def first_of(watch):
    deadline = time.monotonic() + 30
    while watch.rank is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return watch.rank


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open")
def test_the_first_to_end_is_seen(start):
    ranks = [start(PMI_RANK=str(rank)) for rank in range(3)]
    watch = FirstToEnd(MARK, 3)
    watch.start()
    time.sleep(0.5)
    for rank in (1, 0, 2):
        ranks[rank].kill()
        ranks[rank].wait()
    assert first_of(watch) == 1


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open")
def test_where_not_all_ranks_are_here_nothing_is_said(start):
    rank = start(PMI_RANK="0")
    watch = FirstToEnd(MARK, 2)
    watch.start()
    time.sleep(0.3)
    rank.kill()
    rank.wait()
    time.sleep(0.3)
    watch.stop()
    assert watch.rank is None
