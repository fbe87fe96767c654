"""Memory that others see, as far as one process can tell."""

import errno
import math
import os
import resource
import sys

import pytest

from distgrad.cgroup import Memory
from distgrad.distributed import SingleProcess, shared_memory
from distgrad.distributed.shared_memory import NotSharedError, share


def open_files():
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("size", [0, 1, 4096, 3 * 2**20 + 5])
@pytest.mark.parametrize("lacks", ["", "posix_fallocate", "memfd_create"])
def test_it_is_empty_aligned_and_as_long_as_asked_for(monkeypatch, size, lacks):
    if lacks:
        monkeypatch.delattr(os, lacks)
    memory = share(SingleProcess(), [size])[0]
    assert memory.shape == (size,)
    assert not memory.any()
    assert size == 0 or memory.ctypes.data % 64 == 0
    memory[:] = 7
    assert memory.sum() == 7 * size


@pytest.fixture
def limit():
    """No file of this process may be larger than this; in a small /dev/shm it is alike."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    yield 2**16
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_it_takes_no_more_room_than_is_there(limit):
    """What cannot be reserved is told, where a write to it would kill the process."""
    comm = SingleProcess()
    before = open_files()
    with pytest.raises(NotSharedError) as caught:
        share(comm, [limit])
    assert str(caught.value) == (
        f"65,536 bytes cannot be reserved: [Errno {errno.EFBIG}] {os.strerror(errno.EFBIG)}"
    )
    assert open_files() == before
    assert share(comm, [limit - 64])[0].size == limit - 64


def test_it_takes_no_more_than_other_processes_leave(monkeypatch):
    """What the kernel would end other processes for; nobody tries that here."""
    monkeypatch.setattr(shared_memory, "_available_bytes", lambda: 4096.0)
    monkeypatch.setattr(shared_memory, "_Segment", None)
    comm = SingleProcess()
    with pytest.raises(NotSharedError) as caught:
        share(comm, [4096])
    assert str(caught.value) == (
        f"the ranks on {comm.host} share 4,160 bytes, and 4,096 are free there"
    )


class Told(SingleProcess):
    """The first of some ranks, where the others say what they are told to say first."""

    def __init__(self, *others):
        super().__init__()
        self.size = 1 + len(others)
        self._others = list(others)

    def all_gather_object(self, value):
        return [value, *self._others]


def test_all_ranks_of_a_machine_need_memory_at_once(monkeypatch):
    monkeypatch.setattr(shared_memory, "_available_bytes", lambda: 10_000.0)
    comm = Told((SingleProcess().host, 9_000.0), ("elsewhere", 4_000.0))
    with pytest.raises(NotSharedError) as caught:
        share(comm, [5_000, 4_000, 4_000])
    assert str(caught.value) == (
        f"the ranks on {comm.host} share 9,128 bytes, and 9,000 are free there"
    )
    with pytest.raises(NotSharedError, match="on elsewhere share 4,064 bytes, and 4,000 are free"):
        share(comm, [4_000, 4_000, 4_000])


def test_nothing_is_made_for_no_bytes(monkeypatch):
    monkeypatch.setattr(shared_memory, "_available_bytes", lambda: 0.0)
    monkeypatch.setattr(shared_memory, "_Segment", None)
    assert share(SingleProcess(), [0])[0].size == 0


def test_memory_keeps_no_descriptor_where_it_need_not():
    before = open_files()
    memory = share(SingleProcess(), [1])
    assert len(open_files() - before) == (sys.version_info < (3, 13))
    del memory


def test_what_other_processes_leave():
    available = shared_memory._available_bytes()
    assert 2**20 < available < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_what_the_limit_of_a_container_leaves(monkeypatch):
    monkeypatch.setattr(shared_memory, "memory_limit", lambda: Memory(limit=2**20, free=4096))
    assert shared_memory._available_bytes() == 4096
    monkeypatch.setattr(shared_memory, "memory_limit", lambda: Memory(limit=2**80, free=2**80))
    assert shared_memory._available_bytes() < 2**80


@pytest.mark.parametrize(("limit", "available"), [(None, math.inf), (Memory(8, 4), 4)])
def test_where_that_is_not_known_the_file_system_decides(monkeypatch, limit, available):
    def unknown(*_args):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", unknown)
    monkeypatch.setattr(shared_memory, "memory_limit", lambda: limit)
    assert shared_memory._available_bytes() == available


def address_of(path, size, token=b""):
    return shared_memory._Address(str(path), size, token)


def refusal(address):
    with pytest.raises(OSError, match=r"^the memory of rank 3 cannot be opened: ") as caught:
        shared_memory._opened(3, address)
    return str(caught.value).partition(" opened: ")[2]


class TestWhatIsNotTheMemory:
    def test_nothing(self, tmp_path):
        path = tmp_path / "gone"
        assert refusal(address_of(path, 64)) == f"[Errno {errno.ENOENT}] {os.strerror(2)}: '{path}'"

    def test_a_pipe_which_would_block(self, tmp_path):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        assert refusal(address_of(path, 0)) == f"{path} is something else there"

    def test_a_file_of_another_size(self, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(bytes(64))
        assert refusal(address_of(path, 65)) == f"{path} is something else there"

    def test_a_file_of_another_process(self, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(bytes(100))
        before = open_files()
        assert refusal(address_of(path, 100, bytes([1] * 64))) == f"{path} is something else there"
        assert open_files() == before
