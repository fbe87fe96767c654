"""Whole programs under the real mpirun: a library script, and what becomes of its exceptions."""

import time
from pathlib import Path

import pytest
from helpers.mpi import mpirun

import distgrad as dg

pytest.importorskip("mpi4py")

TIMEOUT = 60
HOST = dg.distributed.SingleProcess().host

TRAIN = """
import hashlib
import numpy as np
import distgrad as dg
import distgrad.nn.functional as F

comm = dg.distributed.connect()
dg.manual_seed(1)
module = dg.nn.Sequential(
    dg.nn.Linear(4, 16), dg.nn.Tanh(), dg.nn.Dropout(0.1), dg.nn.Linear(16, 1)
)
model = dg.distributed.DataParallel(module, comm)
opt = dg.optim.AdamW(model.parameters(), lr=3e-3)
x = np.random.default_rng(0).standard_normal((100, 4)).astype(np.float32)
train = dg.data.TensorDataset(x=x, y=x.prod(axis=1, keepdims=True))

def loss(batch):
    return F.mse_loss(model(batch.x), batch.y, reduction="sum"), len(batch.y)

for _ in range(3):
    for window in dg.data.GlobalBatches(train, 36, 5, seed=2):
        result = model.accumulate(loss, window)
        if result.finite:
            model.clip_grad_norm_(1.0)
            opt.step()
digest = hashlib.sha256(b"".join(v.data.tobytes() for v in model.state_dict().values()))
if comm.rank == 0:
    print("weights", digest.hexdigest())
"""

FAIL = """
import time
import distgrad as dg
comm = dg.distributed.connect()

def fail():
    print("failed at", time.time(), flush=True)
    raise ValueError("the last words")

"""


@pytest.fixture
def run(tmp_path):
    def run(ranks, script):
        path = tmp_path / "script.py"
        path.write_text(script)
        return mpirun(ranks, ["python", path], TIMEOUT)

    return run


def test_a_script_gives_the_same_weights_on_any_number_of_ranks(run):
    printed = set()
    for ranks in (1, 2, 3):
        job = run(ranks, TRAIN)
        assert job.returncode == 0, job.stderr
        printed.add(job.stdout)
    (line,) = printed
    assert line.startswith("weights ")
    assert len(line.splitlines()) == 1


def ended_soon(job):
    """Whether all ranks were gone 5 seconds after the first exception."""
    words = job.stdout.split()
    return time.time() - float(words[words.index("at") + 1]) < 5


def assert_told_first(job, rank, ranks):
    expected = [
        f"rank {rank} of {ranks} on {HOST} failed:",
        "Traceback (most recent call last):",
    ]
    lines = [line for line in job.stderr.splitlines() if line.strip("- ")]
    assert lines[:2] == expected, job.stderr
    assert "\nValueError: the last words\n" in job.stderr


@pytest.mark.parametrize("ranks", [2, 4])
@pytest.mark.parametrize("failing", [0, -1])
def test_an_exception_outside_a_step_ends_all_ranks(run, ranks, failing):
    rank = failing % ranks
    job = run(ranks, FAIL + f"if comm.rank == {rank}: fail()\ncomm.barrier()")
    assert ended_soon(job)
    assert job.returncode != 0
    assert_told_first(job, rank, ranks)


@pytest.mark.parametrize("ranks", [2, 4])
@pytest.mark.parametrize("failing", [0, -1])
def test_an_exception_in_a_step_ends_all_ranks(run, ranks, failing):
    rank = failing % ranks
    script = f"""
model = dg.distributed.DataParallel(dg.nn.Linear(2, 1), comm)
data = dg.data.TensorDataset(x=dg.ones((8, 2)))

def loss(batch):
    if comm.rank == {rank}:
        fail()
    return model(batch.x).sum(), len(batch.x)

for window in dg.data.GlobalBatches(data, 8, 1):
    model.accumulate(loss, window)
"""
    job = run(ranks, FAIL + script)
    assert ended_soon(job)
    assert job.returncode == 3
    assert_told_first(job, rank, ranks)
    assert f"RankError: rank {rank} of {ranks} on {HOST} failed at step 1, " in job.stderr


def test_of_an_exception_on_all_ranks_rank_0_tells(run):
    job = run(3, FAIL + "fail()")
    assert ended_soon(job)
    assert job.returncode != 0
    assert_told_first(job, 0, 3)


def test_a_usage_error_on_all_ranks_is_told_once_with_status_2(run):
    job = run(3, FAIL + "dg.distributed.DataParallel(dg.nn.Linear(comm.rank + 1, 1), comm)")
    assert job.returncode == 2
    assert job.stderr.count("UsageError: the model differs between ranks") == 1


KILLED = """
import os, signal
import distgrad as dg
{before}
comm = dg.distributed.connect()
model = dg.distributed.DataParallel(dg.nn.Linear(300, 300), comm, transport="shared")
data = dg.data.TensorDataset(x=dg.ones((32, 300)))

def loss(batch):
    if comm.rank == 1 and window.step == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return model(batch.x).sum(), len(batch.x)

for window in dg.data.GlobalBatches(data, 8, 1):
    model.accumulate(loss, window)
    if comm.rank == 0:
        print("a step", flush=True)
"""


@pytest.mark.parametrize("before", ["", "del os.memfd_create"])
def test_ranks_that_are_killed_leave_no_shared_memory_behind(tmp_path, before):
    folder = tmp_path / "for-files"
    folder.mkdir()
    script = tmp_path / "script.py"
    script.write_text(KILLED.format(before=before))
    job = mpirun(3, ["python", script], TIMEOUT, {"TMPDIR": str(folder)})
    assert job.returncode != 0
    assert job.stdout.split("\n").count("a step") in (1, 2), job.stderr
    left = [path for place in (folder, Path("/dev/shm")) for path in place.glob("distgrad-*")]
    assert left == []
