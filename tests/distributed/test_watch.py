"""Ranks that wait for each other, under the real mpirun: who is late is named, and waits end."""

import re
from pathlib import Path

import pytest
from helpers.mpi import mpirun

import distgrad as dg

pytest.importorskip("mpi4py")

TESTS = Path(__file__).resolve().parents[1]
TIMEOUT = 60
HOST = dg.distributed.SingleProcess().host

BEGIN = """\
import os, signal, sys, time
import numpy as np
import distgrad as dg
comm = dg.distributed.connect(timeout={timeout})
last = comm.size - 1
"""


@pytest.fixture
def run(tmp_path):
    def run(ranks, script, timeout=6):
        path = tmp_path / "script.py"
        path.write_text(BEGIN.format(timeout=timeout) + script)
        return mpirun(ranks, ["python", path], TIMEOUT, env={"PYTHONPATH": str(TESTS)})

    return run


def told(job):
    """What the watches said: each message ends with a full stop."""
    return [line for line in job.stderr.splitlines() if line.startswith("distgrad: ")]


@pytest.mark.parametrize("ranks", [2, 4])
@pytest.mark.parametrize("leaves", ["break", "sys.exit(5)", "sys.exit(0)"])
def test_a_rank_that_ends_its_program_early_is_named_and_ends_the_job(run, ranks, leaves):
    job = run(
        ranks,
        f"""
model = dg.distributed.DataParallel(dg.nn.Linear(2, 1), comm)
data = dg.data.TensorDataset(x=dg.ones((8, 2)))
for step, window in enumerate(dg.data.GlobalBatches(data, 2, 1)):
    if comm.rank == last and step == 2:
        {leaves}
    model.accumulate(lambda batch: (model(batch.x).sum(), len(batch.x)), window)
""",
        timeout=1800,
    )
    assert job.returncode == 3, job.stderr
    (line,) = told(job)
    assert line.startswith(f"distgrad: rank 0 ({HOST}) waits in ")
    assert f"but rank {ranks - 1} ({HOST}) has ended its program: every rank must take as" in line


@pytest.mark.parametrize("ranks", [2, 3])
def test_a_rank_that_never_comes_is_named_with_its_line_until_the_time_is_up(run, ranks):
    job = run(
        ranks,
        """
def stay():
    time.sleep(1000)

if comm.rank == last:
    stay()
comm.barrier()
""",
    )
    assert job.returncode == 3, job.stderr
    *early, final = told(job)
    line = BEGIN.count("\n") + 3
    late = rf"rank {ranks - 1} \({HOST}\) is at \S+script\.py:{line} \(stay\)"
    assert early
    for message in early:
        assert re.search(rf"rank 0 \({HOST}\) has waited for \d+ s in \S+script\.py:", message)
        assert re.search(rf"{late}\. After 6 s of waiting all ranks are ended\.$", message)
    assert re.search(rf"{late}\. That is more than the 6 s allowed\.$", final)


def test_a_rank_that_is_stopped_does_not_answer(run):
    job = run(
        2,
        """
if comm.rank == last:
    os.kill(os.getpid(), signal.SIGSTOP)
comm.all_gather_object(comm.rank)
""",
    )
    assert job.returncode == 3, job.stderr
    assert "rank 1 does not answer (stopped, or its host is gone)" in told(job)[-1]


def test_ranks_that_wait_in_different_operations_are_told_apart(run):
    job = run(
        2,
        """
model = dg.distributed.DataParallel(dg.nn.Linear(2, 1), comm)
if comm.rank == last:
    comm.exchange({}, {0: [np.zeros(1)]})
else:
    comm.exchange({}, {1: [np.zeros(1)]})
""",
    )
    assert job.returncode == 3, job.stderr
    assert re.search(
        r"all ranks wait, but not in the same operation: rank 1 \(\S+\) in \S+script\.py:\d+",
        told(job)[-1],
    )


def test_a_rank_that_comes_late_is_named_and_the_job_goes_on(run):
    job = run(
        3,
        """
if comm.rank == 1:
    time.sleep(2)
print(comm.all_gather_object(comm.rank))
""",
        timeout=30,
    )
    assert job.returncode == 0, job.stderr
    assert job.stdout.splitlines() == ["[0, 1, 2]"] * 3
    assert all(f"rank 1 ({HOST}) is at" in line for line in told(job))
    assert told(job)


def test_work_after_the_last_operation_is_nobodys_business(run):
    job = run(
        2,
        """
comm.barrier()
if comm.rank == 0:
    time.sleep(2)
    print("done")
""",
        timeout=1,
    )
    assert (job.returncode, job.stdout, told(job)) == (0, "done\n", [])


def test_a_rank_that_has_done_its_part_may_end(run):
    job = run(
        3,
        """
value = np.full(4, comm.rank)
if comm.rank == 1:
    time.sleep(4)
comm.broadcast(value)
print(value.sum())
""",
        timeout=1800,
    )
    assert (job.returncode, job.stdout, told(job)) == (0, "0\n" * 3, [])


NEVER_DONE = """
from types import SimpleNamespace
from helpers import device_transports
from helpers.strict_device import double, strict_device

class NeverDone(device_transports.FakeNccl):
    def groupEnd(self):
        self._group = None

with strict_device():
    device_transports.FakeNccl = NeverDone
    nccl = device_transports.MAKERS["nccl"](comm, "cuda:0")
    stream = double.xp.cuda.get_current_stream()
    stream.record = lambda: SimpleNamespace(done=False)
    nccl._ranks._communicator.abort = lambda: print(f"rank {comm.rank} ends NCCL", flush=True)
    if comm.rank == last:
        time.sleep(1000)
    array = double.xp.zeros(10)
    nccl.all_gather_slices(array, [10 * rank // comm.size for rank in range(comm.size + 1)])
"""


@pytest.mark.parametrize("ranks", [2, 3])
def test_a_rank_that_does_not_come_to_nccl_is_named_and_nccl_is_ended(run, ranks):
    job = run(ranks, NEVER_DONE, timeout=4)
    assert job.returncode == 3, job.stderr
    line = BEGIN.count("\n") + NEVER_DONE[: NEVER_DONE.index("time.sleep")].count("\n") + 1
    late = rf"rank {ranks - 1} \({HOST}\) is at \S+script\.py:{line} \(<module>\)"
    assert re.search(rf"has waited for \d+ s in \S+.*{late}", told(job)[-1])
    assert told(job)[-1].endswith(". That is more than the 4 s allowed.")
    assert "rank 0 ends NCCL" in job.stdout.splitlines()
