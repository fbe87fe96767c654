"""Which transport carries arrays of GPUs, by what all ranks say."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from helpers.strict_device import strict_device

from distgrad.distributed import SingleProcess
from distgrad.distributed.device import choice, cuda_aware
from distgrad.distributed.device.choice import TRANSPORTS, Facts, choose_transport, obstacle
from distgrad.distributed.device.cuda_aware import cuda_aware_problem
from distgrad.errors import DeviceError, UsageError

FINE = dict.fromkeys(TRANSPORTS)


def facts(*places, **problems):
    return [Facts(host, bus, FINE | problems) for host, bus in places]


class TestObstacles:
    def test_there_is_none_where_each_rank_has_a_gpu_on_one_machine(self):
        told = facts(("a", "1"), ("a", "2"))
        assert [obstacle(name, told) for name in TRANSPORTS] == [None] * 4

    def test_nccl_takes_no_two_ranks_on_one_gpu(self):
        told = facts(("a", "1"), ("a", "1"))
        assert obstacle("nccl", told) == "ranks 0 and 1 share the GPU 1 of a"
        assert obstacle("ipc", told) is None

    def test_memory_is_not_shared_among_machines(self):
        told = facts(("a", "1"), ("b", "1"))
        assert obstacle("ipc", told) == "the ranks are on 2 machines, a and others"
        assert obstacle("nccl", told) is None

    def test_one_rank_without_is_enough(self):
        told = [*facts(("a", "1")), *facts(("b", "1"), nccl="there is none")]
        assert obstacle("nccl", told) == "rank 1 (b): there is none"

    def test_the_machines_memory_always_works(self):
        assert obstacle("staged", facts(("a", "1"), ("b", "1"), ("b", "1"))) is None


class TestChoice:
    @pytest.fixture(autouse=True)
    def device(self, monkeypatch):
        self.problems = dict(FINE)
        self.failing = set()
        places = Facts("a", "1", self.problems)
        monkeypatch.setattr(choice, "_facts", lambda *_: places)
        monkeypatch.setattr(choice, "_MAKERS", {name: self.maker(name) for name in TRANSPORTS})
        with strict_device():
            yield

    def maker(self, name):
        def make(comm, device):
            if name in self.failing:
                raise DeviceError(f"{name} fell over")
            return name

        return make

    def choose(self, wanted="auto"):
        return choose_transport(SingleProcess(), "cuda:0", wanted)

    def test_the_first_that_works(self):
        found = self.choose()
        assert (found.transport, found.name, found.reason) == ("nccl", "nccl", "")

    def test_why_it_is_not_one_before_it(self):
        self.problems["nccl"] = "there is none"
        self.failing = {"cuda-aware"}
        found = self.choose()
        assert found.name == "ipc"
        assert found.reason == (
            "not nccl: rank 0 (a): there is none; not cuda-aware: rank 0: cuda-aware fell over"
        )

    def test_one_that_is_wanted(self):
        assert self.choose("staged").name == "staged"

    @pytest.mark.parametrize("how", ["said", "tried"])
    def test_one_that_is_wanted_and_does_not_work(self, how):
        if how == "said":
            self.problems["ipc"] = "no such thing"
        else:
            self.failing = {"ipc"}
        with pytest.raises(UsageError) as raised:
            self.choose("ipc")
        because = "rank 0 (a): no such thing" if how == "said" else "rank 0: ipc fell over"
        assert str(raised.value) == (
            f'distributed.transport = "ipc" does not work: {because}; use another, or "auto"'
        )

    @pytest.mark.parametrize("wanted", ["shared", "mpi"])
    def test_one_that_is_not_for_gpus(self, wanted):
        with pytest.raises(UsageError) as raised:
            self.choose(wanted)
        assert str(raised.value) == (
            f'distributed.transport = "{wanted}" does not work: the model is on cuda:0, and this '
            'carries nothing of GPUs; use "nccl", "cuda-aware", "ipc", "staged" or "auto"'
        )


class TestCudaAwareMpi:
    """It is asked, and then tried in a process of its own."""

    def aware(self, monkeypatch, run):
        monkeypatch.setattr(cuda_aware.subprocess, "run", run)
        return cuda_aware_problem(SimpleNamespace(memory_kinds="system,cuda:device"))

    def test_one_process_has_no_mpi(self):
        assert cuda_aware_problem(SingleProcess()) == "the ranks are not connected by MPI"

    def test_a_trial_that_succeeds(self, monkeypatch):
        seen = {}

        def run(command, **options):
            seen.update(options, command=command)
            return subprocess.CompletedProcess(command, 0)

        monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
        assert self.aware(monkeypatch, run) is None
        assert seen["command"][0] == sys.executable
        assert "OMPI_COMM_WORLD_RANK" not in seen["env"]

    def test_a_trial_that_breaks_its_process(self, monkeypatch):
        problem = self.aware(monkeypatch, lambda c, **_: subprocess.CompletedProcess(c, -11))
        assert problem == (
            "MPI says that it was built with CUDA, but a trial ended with exit status -11"
        )

    def test_a_trial_without_end(self, monkeypatch):
        def run(command, **_):
            raise subprocess.TimeoutExpired(command, 60)

        assert "but a trial did not end" in self.aware(monkeypatch, run)

    def test_the_canary_is_a_program(self):
        compile(cuda_aware._CANARY, "canary", "exec")
