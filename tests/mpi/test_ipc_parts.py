"""Sums of gradients in memory of GPUs that the ranks see: on the double, by every division."""

import logging
import re

import numpy as np
import pytest
from helpers.strict_device import double, strict_device

from distgrad.backend import to_device, to_host
from distgrad.backend.windows import windows_problem
from distgrad.distributed.device import DeviceCommunicator, ipc_parts
from distgrad.distributed.device.ipc import Ipc
from distgrad.distributed.device.ipc_parts import IpcParts, share_windows
from distgrad.distributed.messages import PartsInMessages
from distgrad.distributed.reduction import REDUCTIONS
from distgrad.distributed.shared_memory import NotSharedError
from distgrad.distributed.tree import TreeSum, contiguous_ranges
from distgrad.errors import DeviceError
from distgrad.flat import BLOCK, FlatLayout

pytestmark = pytest.mark.mpi

DEVICE = "cuda:0"
LAYOUTS = {
    "small": FlatLayout.of([("a", (3, 5)), ("b", (7,))], "float32"),
    "large": FlatLayout.of([("a", (3, BLOCK)), ("b", (1000,)), ("c", (9,))], "float64"),
}


@pytest.fixture(autouse=True, scope="module")
def device():
    with strict_device():
        yield


class Silent(Ipc):
    """Carries nothing: what is shared need not be sent."""

    def exchange(self, outgoing, incoming):
        raise AssertionError("an array was sent")

    all_gather_slices = broadcast = all_reduce = exchange


@pytest.fixture
def devices(comm):
    return DeviceCommunicator(comm, Silent(comm, DEVICE, nbytes=2**20))


def leaf(layout, number, step):
    return np.random.default_rng((number, step)).normal(size=layout.size).astype(layout.dtype)


def expected(layout, count, step, divisor):
    total = TreeSum(count, lambda left, right: left + right)
    for number in range(count):
        total.push(range(number, number + 1), _in_places(layout, leaf(layout, number, step)))
    ((_, value),) = total.parts
    return value / layout.dtype.type(divisor)


def _in_places(layout, flat):
    """What of a flat array belongs to parameters."""
    kept = np.zeros(layout.size, layout.dtype)
    for mine, view in zip(layout.views(kept), layout.views(flat), strict=True):
        mine[...] = view
    return kept


def step_of(reduction, comm, layout, leaves, step, out, divisor):
    """Make a step as `Replica` does, with records behind `load`; tell how often that waited."""
    reduction.start(leaves[-1].stop, leaves)
    for number in leaves[comm.rank]:
        gradients = reduction.open()
        for place, view in enumerate(layout.views(leaf(layout, number, step))):
            gradients.write(place, to_device(view.copy(), DEVICE))
        reduction.close()
    before = double.calls["synchronize"]
    assert reduction.load() is None
    waits = double.calls["synchronize"] - before
    comm.all_gather_object("record")
    reduction.finish(divisor, out, None)
    return waits


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("kind", ["tree", "sharded"])
def test_the_sum_has_the_bits_of_one_process_and_nothing_is_sent(comm, devices, name, kind):
    layout = LAYOUTS[name]
    reduction = REDUCTIONS[kind](layout, devices, double.xp)
    assert reduction.transport == "ipc"
    own = slice(None)
    if reduction.bounds is not None:
        own = slice(*reduction.bounds[comm.rank : comm.rank + 2])
    out = double.xp.zeros(layout.size, layout.dtype)[own]
    divisions = [contiguous_ranges(count, comm.size) for count in (8, 8, 11, 1, 8)]
    uneven = [range(min(2 * rank, 5), min(2 * rank + 2, 5)) for rank in range(comm.size)]
    divisions += [(*uneven[:-1], range(uneven[-1].start, 7))] * 2
    for step, leaves in enumerate(divisions):
        waits = step_of(reduction, comm, layout, leaves, step, out, 3.0)
        assert waits, "a rank met others before its GPU was done"
        wanted = expected(layout, leaves[-1].stop, step, 3.0)[own]
        found = _in_places(layout, np.zeros(layout.size, layout.dtype))
        found[own] = to_host(out)
        np.testing.assert_array_equal(found[own], wanted)


def test_an_array_of_which_each_rank_has_changed_its_slice(comm, devices):
    layout = LAYOUTS["large"]
    reduction = REDUCTIONS["sharded"](layout, devices, double.xp)
    assert reduction.transport == "ipc"
    own = slice(*reduction.bounds[comm.rank : comm.rank + 2])
    for turn in range(3):
        wanted = np.arange(layout.size, dtype=layout.dtype) + turn
        array = double.xp.zeros(layout.size, layout.dtype)
        array[own] = to_device(wanted[own], DEVICE)
        reduction.gather(array)
        np.testing.assert_array_equal(to_host(array), wanted)


def test_ranks_meet_when_their_gpus_are_done(comm, devices):
    before = double.calls["synchronize"]
    devices.barrier()
    assert double.calls["synchronize"] == before + 1


def test_memory_of_each_rank_is_seen_by_all(comm):
    sizes = [16 * (rank % 2) for rank in range(comm.size)]  # some share nothing
    shared = share_windows(DEVICE, comm, sizes)
    assert [shared[rank].size for rank in range(comm.size)] == sizes
    assert not to_host(shared[comm.rank]).any()
    comm.barrier()
    shared[comm.rank][...] = comm.rank + 1
    comm.barrier()
    for rank, size in enumerate(sizes):
        assert to_host(shared[rank]).tolist() == [rank + 1] * size
    comm.barrier()


@pytest.mark.parametrize("when", ["export_window", "open_window"])
def test_what_cannot_be_shared_on_one_rank_is_told_on_all(comm, when, monkeypatch):
    if comm.size == 1 and when == "open_window":
        pytest.skip("one rank opens nothing")

    def refuse(*_):
        raise DeviceError("out of memory")

    if comm.rank == comm.size - 1:
        monkeypatch.setattr(ipc_parts, when, refuse)
    which = f"rank {comm.size - 1} ({comm.host}): " if comm.size > 1 else ""
    with pytest.raises(NotSharedError, match=f"^{re.escape(which)}out of memory$"):
        share_windows(DEVICE, comm, [8] * comm.size)
    assert windows_problem() is None


@pytest.mark.parametrize("late", [False, True])
def test_where_memory_cannot_be_shared_parts_go_in_messages(comm, late, monkeypatch, caplog):
    if comm.size == 1:
        pytest.skip("one rank has one part")
    layout = LAYOUTS["large"]
    devices = DeviceCommunicator(comm, Ipc(comm, DEVICE, nbytes=2**20))

    def refuse(*_):
        raise DeviceError("out of memory")

    if not late:
        monkeypatch.setattr(ipc_parts, "export_window", refuse)
    with caplog.at_level(logging.WARNING):
        reduction = REDUCTIONS["tree"](layout, devices, double.xp)
        assert isinstance(reduction._parts, IpcParts if late else PartsInMessages)
        monkeypatch.setattr(ipc_parts, "export_window", refuse)
        out = double.xp.zeros(layout.size, layout.dtype)
        # The last rank has more than one part, and its second buffer is not shared yet.
        many = [range(rank, rank + 1) for rank in range(comm.size - 1)]
        leaves = (*many, range(comm.size - 1, comm.size + 6))
        for step in range(2):
            step_of(reduction, comm, layout, leaves, step, out, 2.0)
            wanted = expected(layout, leaves[-1].stop, step, 2.0)
            np.testing.assert_array_equal(_in_places(layout, to_host(out)), wanted)
    if comm.rank == 0:
        assert "out of memory" in caplog.text
