"""The kernels that compute: the same on all ranks, or none of them begins."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from helpers.mpi import mpirun

from distgrad.backend.kernels import use_kernels
from distgrad.distributed import SingleProcess
from distgrad.distributed.kernels import choose_kernels
from distgrad.errors import UsageError

TIMEOUT = 300
HOST = SingleProcess().host

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="needs numba")

TRAIN = """
import hashlib
import numpy as np
import distgrad as dg
import distgrad.nn.functional as F

comm = dg.distributed.connect(kernels="numba")
dg.manual_seed(1)
module = dg.nn.Sequential(
    dg.nn.Linear(8, 40), dg.nn.LayerNorm(40), dg.nn.GELU(), dg.nn.Dropout(0.1), dg.nn.Linear(40, 5)
)
model = dg.distributed.DataParallel(module, comm)
opt = dg.optim.AdamW(model.parameters(), lr=3e-3)
x = np.random.default_rng(0).standard_normal((100, 8)).astype(np.float32)
train = dg.data.TensorDataset(x=x, y=x[:, :5].argmax(1))

def loss(batch):
    return F.cross_entropy(model(batch.x), batch.y, reduction="sum"), len(batch.y)

for window in dg.data.GlobalBatches(train, 36, 5, seed=2):
    if model.accumulate(loss, window).finite:
        model.clip_grad_norm_(1.0)
        opt.step()
digest = hashlib.sha256(b"".join(v.data.tobytes() for v in model.state_dict().values()))
if comm.rank == 0:
    print("weights", digest.hexdigest())
"""

DIFFERENT = """
import os
import distgrad as dg
from distgrad.distributed import launched_rank
try:
    dg.distributed.connect(kernels=["numba", "numpy"][launched_rank()])
except dg.errors.UsageError as error:
    print(error)
"""

FAILING = """
import distgrad as dg
from distgrad.distributed import kernels, launched_rank

def compile(wanted):
    assert launched_rank() == 0, "only one rank compiles"
    raise RuntimeError("no space left")

kernels.wanted_kernels = lambda choice: "numba"
kernels.kernels_to_be_compiled = lambda wanted: True
kernels.use_kernels = compile
try:
    dg.distributed.connect()
except dg.errors.UsageError as error:
    print(error)
"""

MISSING = """
import distgrad as dg
from distgrad.backend.kernels import choice
from distgrad.distributed import launched_rank
choice.find_spec = lambda name: launched_rank() == 0
try:
    dg.distributed.connect(kernels="numba")
except dg.errors.UsageError as error:
    print(error)
"""


def run(ranks: int, script: str, folder: Path) -> Any:
    pytest.importorskip("mpi4py")
    path = folder / "script.py"
    path.write_text(script)
    return mpirun(ranks, ["python", path], TIMEOUT)


@needs_numba
def test_compiled_kernels_give_the_same_weights_on_any_number_of_ranks(tmp_path: Path) -> None:
    printed = set()
    for ranks in (1, 2, 3):
        job = run(ranks, TRAIN, tmp_path)
        assert job.returncode == 0, job.stderr
        printed.add(job.stdout)
    (line,) = printed
    assert line.startswith("weights ")


@needs_numba
def test_ranks_that_would_compute_differently_are_refused(tmp_path: Path) -> None:
    job = run(2, DIFFERENT, tmp_path)
    numbas = use_kernels("numba")
    use_kernels("numpy")
    line = (
        f"the choice of kernels differs between ranks: {numbas!r} on rank 0 ({HOST}) but 'numpy' "
        f"on rank 1 ({HOST}); give every rank the same"
    )
    assert job.stdout.splitlines() == [line] * 2, job.stderr


@needs_numba
def test_every_rank_hears_what_one_of_them_lacks(tmp_path: Path) -> None:
    job = run(2, MISSING, tmp_path)
    line = (
        f"rank 1 ({HOST}): the choice of kernels is 'numba', which is not installed here: install "
        "it with `pip install 'distgrad[fast]'`, or choose 'numpy'"
    )
    assert job.stdout.splitlines() == [line] * 2, job.stderr


class TwoHosts(SingleProcess):
    """A rank of four on two hosts, with what happens on it."""

    size = 4

    def __init__(self, rank: int, events: list[str]) -> None:
        super().__init__()
        self.rank = rank
        self.host = "ab"[rank // 2]
        self.events = events

    def all_gather_object(self, value: Any) -> list[Any]:
        self.events.append("meets")
        return [self._told("ab"[rank // 2], value) for rank in range(self.size)]

    def _told(self, host: str, value: Any) -> Any:
        """Return what a rank on another host says, as often as it names its host."""
        if isinstance(value, tuple):
            return tuple(self._told(host, part) for part in value)
        return host if isinstance(value, str) and value == self.host else value


@pytest.mark.parametrize(("rank", "compiles"), [(0, True), (1, False), (2, True), (3, False)])
def test_one_rank_of_each_host_compiles_before_the_others_load(
    rank: int, compiles: bool, monkeypatch: Any
) -> None:
    events: list[str] = []
    module = "distgrad.distributed.kernels."
    monkeypatch.setattr(module + "use_kernels", lambda wanted: events.append("loads"))
    monkeypatch.setattr(module + "kernels_to_be_compiled", lambda wanted: True)
    choose_kernels(TwoHosts(rank, events), "numpy")
    compiled = ["loads"] if compiles else []
    assert events == ["meets", *compiled, "meets", "loads", "meets", "meets"]


def test_nobody_waits_where_nothing_is_to_be_compiled(monkeypatch: Any) -> None:
    events: list[str] = []
    choose_kernels(TwoHosts(1, events), "numpy")
    assert events == ["meets"] * 3


def test_every_rank_hears_that_one_cannot_compile(tmp_path: Path) -> None:
    job = run(2, FAILING, tmp_path)
    line = (
        f"rank 0 ({HOST}): the kernels cannot be compiled or loaded (RuntimeError: no space left); "
        "choose 'numpy', as by DISTGRAD_KERNELS=numpy"
    )
    assert job.stdout.splitlines() == [line] * 2, job.stderr


def test_a_numba_that_cannot_be_loaded_is_left_out_unless_it_is_asked_for(
    monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(wanted: str) -> bool:
        raise ImportError("Numba needs NumPy 2.3 or less")

    module = "distgrad.distributed.kernels."
    monkeypatch.delenv("DISTGRAD_KERNELS", raising=False)
    monkeypatch.setattr(module + "wanted_kernels", lambda choice: "numba")
    monkeypatch.setattr(module + "kernels_to_be_compiled", broken)
    assert choose_kernels(SingleProcess(), "auto") == "numpy"
    assert "numba cannot be loaded" in caplog.text
    monkeypatch.setenv("DISTGRAD_KERNELS", "numba")
    for choice in ("auto", "numba"):
        with pytest.raises(UsageError, match=r"\(ImportError: Numba needs NumPy 2.3 or less\)"):
            choose_kernels(SingleProcess(), choice)


def test_one_process_hears_of_an_unknown_choice() -> None:
    with pytest.raises(UsageError, match=r"^the choice of kernels must be one of"):
        choose_kernels(SingleProcess(), "fast")
