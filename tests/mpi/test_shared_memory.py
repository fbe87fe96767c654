"""Gradients in memory that the ranks of a machine see: the same bits, and MPI where it fails."""

import errno
import gc
import logging
import os
import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from helpers.data_parallel import (
    classification_loss,
    classifier,
    gradients,
    ragged_data,
    weights,
)
from helpers.summing import OnMachines, sums

import distgrad as dg
from distgrad.distributed import DataParallel, SingleProcess, shared_memory
from distgrad.distributed.parts import owner_bounds, owner_slices
from distgrad.distributed.reduction import REDUCTIONS
from distgrad.distributed.tree import contiguous_ranges
from distgrad.errors import UsageError
from distgrad.flat import BLOCK, FlatLayout

pytestmark = pytest.mark.mpi

COUNTS = (8, 5, 1, 11, 2, 8)
"""Leaves of a step: aligned and not, fewer than ranks, and others from step to step."""

SHARED = "shared"

LARGE = 5 * BLOCK + 4000
"""Elements that several ranks own."""


def layout_of(size, dtype=np.float32):
    sizes = [5, size // 2 - 32, size - size // 2 - 32]
    return FlatLayout.of([(f"p{i}", (n,)) for i, n in enumerate(sizes)], dtype)


@pytest.fixture
def several(comm):
    if comm.size == 1:
        pytest.skip("one rank has no other to share memory with")
    return comm


@cache
def of_one_process(size, dtype=np.float32):
    return sums(SingleProcess(), layout_of(size, dtype), COUNTS)[0]


def assert_same_bits(found, expected):
    for step, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert one.tobytes() == other.tobytes(), f"step {step}"


class TestBits:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("size", [100, BLOCK - 16, BLOCK + 48, LARGE])
    def test_are_those_of_one_process(self, several, size, dtype):
        layout = layout_of(size, dtype)
        found, told = sums(several, layout, COUNTS)
        assert told == SHARED
        assert_same_bits(found, of_one_process(size, dtype))

    @pytest.mark.parametrize("size", [100, LARGE])
    def test_are_those_of_messages(self, several, size):
        layout = layout_of(size)
        found, told = sums(several, layout, COUNTS, "mpi")
        assert told == "mpi"
        assert_same_bits(found, of_one_process(size))

    @pytest.mark.parametrize("transport", ["shared", "mpi"])
    @pytest.mark.parametrize("size", [100, LARGE])
    def test_are_those_of_one_process_in_slices(self, several, size, transport):
        layout = layout_of(size)
        slices, told = sums(several, layout, COUNTS, transport, "sharded")
        assert told == transport
        found = [np.concatenate(several.all_gather_object(out)) for out in slices]
        assert_same_bits(found, of_one_process(size))


def machines(size):
    """Ranks of a few machines, side by side or not."""
    return [
        ["a"] * (size - 1) + ["b"],
        ["a"] + ["b"] * (size - 1),
        [name for pair in zip("abcd", "abcd", strict=True) for name in pair][:size],
        list("abab")[:size],
        list("abba")[:size],
    ]


class TestSeveralMachines:
    @pytest.mark.parametrize("reduction", ["tree", "sharded"])
    @pytest.mark.parametrize("number", range(5))
    def test_give_the_bits_of_one_process(self, several, number, reduction):
        names = machines(several.size)[number]
        comm = OnMachines(several, names)
        found, told = sums(comm, layout_of(LARGE), COUNTS, reduction=reduction)
        ways = {
            1: SHARED,
            several.size: "mpi (each rank is on a machine of its own)",
        }
        assert told == ways.get(len(set(names)), "shared on each machine, mpi between")
        if reduction == "sharded":
            found = [np.concatenate(several.all_gather_object(out)) for out in found]
        assert_same_bits(found, of_one_process(LARGE))

    def test_with_few_gradients_send_messages(self, several):
        comm = OnMachines(several, machines(several.size)[0])
        found, told = sums(comm, layout_of(1000), COUNTS)
        assert told == (
            "mpi (each rank is on a machine of its own)"
            if several.size == 2
            else "mpi (the ranks are on several machines, and the gradients are few)"
        )
        assert_same_bits(found, of_one_process(1000))

    @pytest.mark.parametrize("reduction", ["tree", "sharded"])
    def test_with_few_gradients_share_them_if_that_is_asked_for(self, several, reduction):
        comm = OnMachines(several, machines(several.size)[0])
        if several.size == 2:
            with pytest.raises(UsageError, match="each rank is on a machine of its own"):
                sums(comm, layout_of(1000), COUNTS, "shared", reduction)
            return
        found, told = sums(comm, layout_of(1000), COUNTS, "shared", reduction)
        assert told == "shared on each machine, mpi between"
        if reduction == "sharded":
            found = [np.concatenate(several.all_gather_object(out)) for out in found]
        assert_same_bits(found, of_one_process(1000))


class TestGathering:
    """An array of which each rank has changed its slice, again and again without a pause."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("size", [100, BLOCK + 48, LARGE])
    @pytest.mark.parametrize("transport", ["auto", "shared", "mpi"])
    def test_on_one_machine(self, several, transport, size, dtype):
        self.check(several, transport, layout_of(size, dtype))

    @pytest.mark.parametrize("number", range(5))
    def test_on_several_machines(self, several, number):
        comm = OnMachines(several, machines(several.size)[number])
        self.check(comm, "auto", layout_of(LARGE))

    @staticmethod
    def check(comm, transport, layout):
        reduction = REDUCTIONS["sharded"](layout, comm, np, transport)
        own = owner_slices(layout.size, comm.size)[comm.rank]
        for turn in range(5):
            wanted = np.random.default_rng(turn).normal(size=layout.size).astype(layout.dtype)
            array = np.full(layout.size, np.nan, layout.dtype)
            array[own] = wanted[own]
            reduction.gather(array)
            np.testing.assert_array_equal(array, wanted)


def train(comm, transport="auto", hidden=8, counts=(36, 36, 35)):
    """Train a small model, whose micro-batches are divided into several parts in some steps."""
    model = DataParallel(classifier(0.2, hidden=hidden), comm, transport=transport)
    optimizer = dg.optim.SGD(model.parameters(), lr=0.1)
    for samples in counts:
        for window in dg.data.GlobalBatches(ragged_data(samples), 20, 3, seed=samples):
            model.accumulate(classification_loss(model), window)
            optimizer.step()
    return weights(model.module), model.transport


def refused(*_args):
    raise OSError(errno.ENOSPC, "No space left on device")


class TestWhereMemoryCannotBeShared:
    """Then the gradients travel by MPI: all ranks agree on it, and one says why."""

    @pytest.fixture(params=[8, 9000])
    def hidden(self, request):
        """For few gradients, and for so many that they have several owners."""
        return request.param

    @pytest.fixture
    def said(self, several, caplog):
        def said(reason):
            line = f"gradients travel by MPI and not in shared memory: {reason}"
            own = [
                record.message
                for record in caplog.records
                if record.levelno == logging.WARNING and "travel" in record.message
            ]
            return own == ([line] if several.rank == 0 else [])

        return said

    def place(self, comm):
        return f"rank {comm.size - 1} ({comm.host})"

    def test_no_memory_on_one_rank(self, several, alone, monkeypatch, said, hidden):
        if several.rank == several.size - 1:
            monkeypatch.setattr(os, "posix_fallocate", refused)
        found, told = train(several, hidden=hidden)
        nbytes = f"{4 * DataParallel(classifier(hidden=hidden), alone)._replica.layout.size:,}"
        reason = (
            f"{self.place(several)}: {nbytes} bytes cannot be reserved: "
            "[Errno 28] No space left on device"
        )
        assert told == f"mpi (not shared: {reason})"
        assert said(reason)
        assert found == train(alone, hidden=hidden)[0]

    def test_a_peer_that_is_not_to_be_opened(self, several, alone, monkeypatch, said):
        if several.rank == several.size - 1:
            monkeypatch.setattr(os, "stat", self.forbidden)
        found, told = train(several)
        monkeypatch.undo()
        reason = told.removeprefix("mpi (not shared: ").removesuffix(")")
        assert reason.startswith(
            f"{self.place(several)}: the memory of rank 0 cannot be opened: "
            "[Errno 13] Permission denied: '/proc/"
        )
        assert said(reason)
        assert found == train(alone)[0]

    @staticmethod
    def forbidden(path):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    def test_another_file_of_the_same_size(self, several, alone, monkeypatch, said):
        """As in a container with processes of its own, where the same number is another one."""
        real = shared_memory._created
        size = 64 + 4 * DataParallel(classifier(), alone)._replica.layout.size
        other = os.memfd_create("other")
        os.truncate(other, size)
        path = f"/proc/{os.getpid()}/fd/{other}"
        if several.rank == 0:
            monkeypatch.setattr(shared_memory, "_created", lambda: (*real()[:2], path))
        found, told = train(several)
        os.close(other)
        path = several.all_gather_object(path)[0]
        reason = (
            f"rank 1 ({several.host}): the memory of rank 0 cannot be opened: "
            f"{path} is something else there"
        )
        assert told == f"mpi (not shared: {reason})"
        assert said(reason)
        assert found == train(alone)[0]

    def test_no_more_memory_in_the_middle_of_a_run(self, several, alone, monkeypatch, said, hidden):
        model = DataParallel(classifier(hidden=hidden), several)
        one = DataParallel(classifier(hidden=hidden), alone)
        assert model.transport == "shared"
        if several.rank == several.size - 1:
            monkeypatch.setattr(os, "posix_fallocate", refused)
        told = []
        for micro_batches in (several.size, several.size, 5 * several.size, 7, several.size):
            (window,) = dg.data.GlobalBatches(ragged_data(2 * micro_batches), 2 * micro_batches, 2)
            model.accumulate(classification_loss(model), window)
            one.accumulate(classification_loss(one), window)
            for name, gradient in gradients(model.module).items():
                np.testing.assert_array_equal(gradient, gradients(one.module)[name])
            told.append(model.transport.partition(":")[0])
        assert told == [*["shared"] * 2, *["mpi (not shared"] * 3]
        assert said(model.transport.removeprefix("mpi (not shared: ").removesuffix(")"))

    def test_if_it_is_asked_for_the_job_ends(self, several, monkeypatch):
        if several.rank == several.size - 1:
            monkeypatch.setattr(os, "posix_fallocate", refused)
        with pytest.raises(UsageError) as caught:
            DataParallel(classifier(), several, transport="shared")
        assert str(caught.value) == (
            f'distributed.transport = "shared" does not work: {self.place(several)}: 448 bytes '
            'cannot be reserved: [Errno 28] No space left on device; use "mpi", or "auto"'
        )

    def test_if_it_is_asked_for_on_machines_of_their_own_the_job_ends(self, several):
        comm = OnMachines(several, [f"h{rank}" for rank in range(several.size)])
        with pytest.raises(UsageError) as caught:
            DataParallel(classifier(), comm, transport="shared")
        assert str(caught.value) == (
            'distributed.transport = "shared" does not work: each rank is on a machine of its own; '
            'use "mpi", or "auto"'
        )


@pytest.mark.parametrize("transport", ["nccl", "cuda-aware", "ipc", "staged"])
def test_what_carries_arrays_of_gpus_is_refused_on_the_cpu(several, transport):
    with pytest.raises(UsageError) as caught:
        DataParallel(classifier(), several, transport=transport)
    assert str(caught.value) == (
        f'distributed.transport = "{transport}" does not work: the model is on the CPU, and this '
        'carries arrays of GPUs; use "shared", "mpi" or "auto"'
    )


def test_one_rank_has_nothing_to_share(alone):
    assert DataParallel(classifier(), alone, transport="shared").transport is None


def mappings():
    """The shared memory that this process has mapped."""
    return [
        line
        for line in Path("/proc/self/maps").read_text().splitlines()
        if "memfd:distgrad" in line
    ]


def open_files():
    return len(os.listdir("/proc/self/fd"))


class TestMemory:
    def test_it_is_given_back_with_the_model(self, several):
        gc.collect()
        before, files = mappings(), open_files()
        owners = sum(stop > start for start, stop in pairwise(owner_bounds(90_003, several.size)))
        for hidden, mapped in ((8, 2 * several.size), (9000, several.size + owners)):
            model = DataParallel(classifier(hidden=hidden), several)
            assert len(mappings()) == len(before) + mapped
            del model
            gc.collect()
            assert mappings() == before
            assert open_files() == files

    def test_peers_cannot_be_written_to(self, several):
        parts = DataParallel(classifier(), several)._replica.reduction._parts
        flat = parts._sets[0].buffers.flat
        writeable = [arrays[0].flags.writeable for arrays in flat]
        assert writeable == [rank == several.rank for rank in range(several.size)]

    def test_where_there_is_no_memfd_a_file_is_unlinked_at_once(
        self, several, alone, monkeypatch, tmp_path
    ):
        folder = tmp_path / "of-this-rank"
        folder.mkdir()
        monkeypatch.delattr(os, "memfd_create")
        monkeypatch.delattr(os, "posix_fallocate")
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        model = DataParallel(classifier(), several)
        assert model.transport == "shared"
        assert str(folder) in Path("/proc/self/maps").read_text()
        assert train(several) == (train(alone)[0], "shared")
        assert os.listdir(folder) == []

    def test_where_a_file_is_refused_it_is_unlinked_too(self, several, monkeypatch, tmp_path):
        folder = tmp_path / "of-this-rank"
        folder.mkdir()
        files = open_files()
        monkeypatch.delattr(os, "memfd_create")
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        if several.rank == 0:
            monkeypatch.setattr(os, "posix_fallocate", refused)
        assert DataParallel(classifier(), several).transport.startswith("mpi (not shared: rank 0 ")
        assert os.listdir(folder) == []
        assert open_files() == files

    def test_a_rank_touches_no_more_of_its_peers_than_its_slice_and_their_sums(self, several):
        blocks = 16 * several.size
        layout = FlatLayout.of([("p", (blocks * BLOCK,))], np.float32)
        reduction = REDUCTIONS["tree"](layout, several, np, "shared")
        reduction.start(several.size, contiguous_ranges(several.size, several.size))
        reduction.open().write(0, np.float32(1))
        reduction.close()
        several.barrier()
        reduction.finish(1.0, layout.zeros(), None)
        peers = (several.size - 1) * layout.size * 4
        assert resident_bytes("r--s") <= 2 * peers / several.size + 2**20


def resident_bytes(permissions):
    """How much of distgrad's mappings with these permissions this process has touched."""
    total, wanted = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            wanted = words[1] == permissions and "memfd:distgrad" in line
        elif words[0] == "Rss:" and wanted:
            total += 1024 * int(words[1])
    return total


def test_models_side_by_side(several, alone):
    def bits(comm):
        models = [DataParallel(classifier(hidden=hidden), comm) for hidden in (8, 9000, 16)]
        for window in dg.data.GlobalBatches(ragged_data(40), 30, 4):
            for model in models:
                model.accumulate(classification_loss(model), window)
                dg.optim.SGD(model.parameters(), lr=0.1).step()
        return [weights(model.module) for model in models]

    assert bits(several) == bits(alone)
