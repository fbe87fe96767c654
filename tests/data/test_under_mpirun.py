"""Reading with workers, and streams, in a training of several ranks: one result, and no fork."""

import json
import subprocess
import sys

import pytest
from helpers.mpi import environment, mpirun

pytest.importorskip("mpi4py")

PROGRAM = """
import hashlib, json, os, sys

def forbidden():
    os.write(2, b"a rank forked after MPI_Init")
    os._exit(99)

import numpy as np
import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn
from distgrad.data import GlobalBatches, StreamingBatches
from distgrad.data.transforms import Compose, RandomCrop, RandomHorizontalFlip

comm = dg.distributed.connect()
os.register_at_fork(before=forbidden)

class Images:
    '''Any object with a length and an index.'''

    def __len__(self):
        return 50

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        return {"x": rng.random((1, 4, 4), np.float32), "y": index % 3}

class Stream:
    def __iter__(self):
        images = Images()
        return (images[i] for i in range(len(images)))

augment = Compose([RandomCrop(4, padding=1), RandomHorizontalFlip()])

def train(batches, broken=False):
    dg.manual_seed(0)
    model = dg.distributed.DataParallel(nn.Linear(16, 3), comm)
    optimizer = dg.optim.SGD(model.parameters(), lr=0.5)

    def loss(batch):
        x = augment(batch["x"])
        logits = model(x.reshape(len(x), 16))
        return F.cross_entropy(logits, batch["y"], reduction="sum"), len(x)

    for _ in range(3):
        for window in batches:
            assert model.accumulate(loss, window).finite
            optimizer.step()
    return hashlib.sha256(b"".join(p.data.tobytes() for p in model.parameters())).hexdigest()

sizes = {"global_batch_size": 14, "micro_batch_size": 3, "seed": 7}
hashes = {
    "indexed": [train(GlobalBatches(Images(), **sizes, num_workers=n)) for n in (0, 1, 3)],
    "stream": [
        train(StreamingBatches(Stream(), **sizes, shuffle_buffer=9, read_ahead=ahead))
        for ahead in (False, True)
    ],
}
assert len(set(comm.all_gather_object(json.dumps(hashes)))) == 1
if comm.rank == 0:
    print(json.dumps(hashes))
"""

BROKEN = """
import distgrad as dg
from distgrad.data import GlobalBatches
from distgrad.errors import RankError

comm = dg.distributed.connect()

class Gone:
    def __len__(self):
        return 12

    def __getitem__(self, index):
        if index == 9 and comm.rank == 1:
            raise LookupError("sample 9 is gone")
        return float(index), 0.0

model = dg.distributed.DataParallel(dg.nn.Linear(1, 1, dtype=dg.float64), comm)

def loss(batch):
    x, y = batch
    return (model(x.reshape(len(x), 1)) ** 2).sum(), len(x)

windows = GlobalBatches(Gone(), 12, 2, shuffle=False, num_workers=2)
try:
    for window in windows:
        model.accumulate(loss, window)
except RankError as error:
    assert "sample 9 is gone" in str(error), error
    assert "micro-batch 4" in str(error), error
    print("told", error.rank)
"""


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What one process gives, without MPI."""
    script = tmp_path_factory.mktemp("job") / "train.py"
    script.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    return script, json.loads(done.stdout)


def test_workers_do_not_change_the_result(expected):
    _, hashes = expected
    assert len(set(hashes["indexed"])) == 1
    assert len(set(hashes["stream"])) == 1
    assert hashes["indexed"] != hashes["stream"]


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_do_not_change_the_result(expected, ranks):
    script, hashes = expected
    job = mpirun(ranks, ["python", script], timeout=120)
    assert job.returncode == 0, job.stderr
    assert json.loads(job.stdout) == hashes


def test_what_a_worker_of_one_rank_meets_is_told_to_all(tmp_path):
    script = tmp_path / "broken.py"
    script.write_text(BROKEN)
    job = mpirun(2, ["python", script], timeout=120)
    assert job.returncode == 0, job.stderr
    assert job.stdout.split() == ["told", "1"] * 2
