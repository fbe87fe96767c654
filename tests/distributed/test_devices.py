"""Which GPU a rank takes, with communicators of ranks that do not run, and with real ranks."""

from pathlib import Path

import pytest
from helpers.mpi import mpirun
from helpers.strict_device import double, strict_device

from distgrad.distributed import SingleProcess, choose_device
from distgrad.distributed.devices import device_sharing
from distgrad.errors import UsageError

HOST = SingleProcess().host

TESTS = str(Path(__file__).parents[1])

DIFFERENT = """
import distgrad as dg
from helpers.strict_device import strict_device

comm = dg.distributed.connect(kernels="numpy")

def told(function, *args, **options):
    try:
        function(*args, **options)
    except dg.errors.UsageError as error:
        print(error)

with strict_device():
    kind = ["cpu", "cuda"][comm.rank]
    told(dg.distributed.choose_device, comm, kind)
    told(dg.distributed.DataParallel, dg.nn.Linear(2, 1).to(kind), comm)
    transport = ["auto", "staged"][comm.rank]
    told(dg.distributed.DataParallel, dg.nn.Linear(2, 1), comm, transport=transport)
"""


class Ranks(SingleProcess):
    """One of several ranks: the others say what is given here, and what it says."""

    def __init__(self, rank, hosts, others=()):
        self.rank, self.size, self.host = rank, len(hosts), hosts[rank]
        self._hosts, self._others = hosts, dict(others)

    def all_gather_object(self, value):
        told = [(host, *value[1:]) for host in self._hosts]
        is_asked_for_problems = len(value) == 3
        if is_asked_for_problems:
            for rank, problem in self._others.items():
                told[rank] = (*told[rank][:2], problem)
        return told


@pytest.fixture
def device():
    with strict_device() as found:
        yield found
        double.make_current(0)


@pytest.mark.parametrize(
    ("hosts", "devices"),
    [
        ("aaaa", ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]),
        ("abab", ["cuda:0", "cuda:0", "cuda:1", "cuda:1"]),
        ("abbb", ["cuda:0", "cuda:0", "cuda:1", "cuda:0"]),
    ],
)
def test_the_ranks_of_a_machine_take_its_gpus_in_turn(device, hosts, devices):
    for rank, expected in enumerate(devices):
        assert choose_device(Ranks(rank, hosts), "cuda") == expected
        assert f"cuda:{device.current()}" == expected


def test_the_launcher_knows_the_local_rank_best(device, monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    monkeypatch.setenv("OMPI_COMM_WORLD_LOCAL_RANK", "1")
    assert choose_device(Ranks(0, "ab"), "cuda") == "cuda:1"


def test_a_number_is_one_and_the_same_on_all_ranks(device):
    assert choose_device(Ranks(1, "aa"), "cuda:0") == "cuda:0"


def test_what_is_missing_on_one_rank_is_told_on_all(device):
    others = {1: "device 'cuda': there is no GPU"}
    with pytest.raises(UsageError, match=r"rank 1 \(b\): device 'cuda': there is no GPU"):
        choose_device(Ranks(0, "ab", others), "cuda")


def test_a_gpu_that_is_not_there(device):
    with pytest.raises(UsageError, match="'cuda:7': there are 2 GPUs here, cuda:0 to cuda:1"):
        choose_device(SingleProcess(), "cuda:7")


def test_ranks_that_would_wait_for_each_other_on_other_devices_are_refused(tmp_path):
    pytest.importorskip("mpi4py")
    path = tmp_path / "script.py"
    path.write_text(DIFFERENT)
    job = mpirun(2, ["python", path], env={"PYTHONPATH": TESTS})

    def line(what, first, second):
        return (
            f"{what} differs between ranks: {first!r} on rank 0 ({HOST}) but {second!r} on rank 1 "
            f"({HOST}); give every rank the same"
        )

    kind = line("the kind of device", "cpu", "cuda")
    expected = [kind, kind, line("transport", "auto", "staged")]
    assert sorted(job.stdout.splitlines()) == sorted(expected * 2), job.stderr


def test_the_cpu_needs_no_choice_and_no_library():
    assert choose_device(SingleProcess(), "cpu") == "cpu"


def test_who_shares_a_gpu_is_said():
    places = [("a", "1"), ("a", "2"), ("a", "1"), ("b", "1"), ("a", "1")]
    assert device_sharing(places) == "ranks 0, 2 and 4 share the GPU 1 of a"
    assert device_sharing(places[1:4]) is None
