"""What every communicator must do; run by a subclass whose tests get a fixture ``comm``.

The tests hold for any number of ranks, and all ranks run each of them together.
"""

import socket

import numpy as np
import pytest

DTYPES = ["bool", "uint8", "int64", "float16", "float32", "float64"]


class CommunicatorContract:
    def test_rank_size_and_host(self, comm):
        assert 0 <= comm.rank < comm.size
        assert comm.host == socket.gethostname()
        assert comm.library

    def test_ranks_are_numbered_in_order(self, comm):
        assert comm.all_gather_object(comm.rank) == list(range(comm.size))

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_broadcast_overwrites_with_the_roots_array(self, comm, dtype):
        for root in range(comm.size):
            array = np.full((2, 3), comm.rank + 1).astype(dtype)
            assert comm.broadcast(array, root) is None
            np.testing.assert_array_equal(array, np.full((2, 3), root + 1).astype(dtype))

    @pytest.mark.parametrize("shape", [(), (0,), (0, 3)])
    def test_broadcast_of_scalars_and_of_nothing(self, comm, shape):
        array = np.full(shape, comm.rank)
        comm.broadcast(array)
        np.testing.assert_array_equal(array, np.zeros(shape))

    @pytest.mark.parametrize("root", [-1, 4096])
    def test_broadcast_refuses_a_root_that_is_no_rank(self, comm, root):
        with pytest.raises(ValueError, match=f"broadcast from rank {root}: the ranks are 0 to"):
            comm.broadcast(np.zeros(1), root)

    @pytest.mark.parametrize("dtype", ["int64", "float32", "float64"])
    def test_all_reduce_sums_in_place(self, comm, dtype):
        array = np.array([[comm.rank, 1], [comm.rank**2, -comm.rank]], dtype)
        assert comm.all_reduce(array) is None
        ranks = np.arange(comm.size)
        expected = [[ranks.sum(), comm.size], [(ranks**2).sum(), -ranks.sum()]]
        np.testing.assert_array_equal(array, np.array(expected, dtype))

    def test_all_reduce_gives_every_rank_the_same_bits(self, comm):
        array = np.random.default_rng(comm.rank).standard_normal(100_000).astype(np.float32)
        comm.all_reduce(array)
        assert len(set(comm.all_gather_object(array.tobytes()))) == 1

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_all_gather_stacks_by_rank(self, comm, dtype):
        own = np.full((2, 3), comm.rank).astype(dtype)
        result = comm.all_gather(own)
        assert result.shape == (comm.size, 2, 3)
        assert result.dtype == own.dtype
        expected = [np.full((2, 3), rank).astype(dtype) for rank in range(comm.size)]
        np.testing.assert_array_equal(result, expected)

    def test_all_gather_copies(self, comm):
        own = np.zeros(3)
        result = comm.all_gather(own)
        result[:] = 1
        assert own.tolist() == [0, 0, 0]

    def test_all_gather_of_read_only_and_of_empty_arrays(self, comm):
        own = np.frombuffer(bytes([comm.rank]), np.uint8)
        assert comm.all_gather(own).ravel().tolist() == list(range(comm.size))
        assert comm.all_gather(np.zeros((0, 2))).shape == (comm.size, 0, 2)

    def test_all_gather_slices_of_uneven_lengths(self, comm):
        bounds = [rank * (rank + 1) // 2 for rank in range(comm.size + 1)]
        array = np.full(bounds[-1], -1.0)
        array[bounds[comm.rank] : bounds[comm.rank + 1]] = comm.rank
        assert comm.all_gather_slices(array, bounds) is None
        assert array.tolist() == [r for r in range(comm.size) for _ in range(r + 1)][: bounds[-1]]

    def test_all_gather_slices_where_one_rank_has_everything(self, comm):
        bounds = [0] + [5] * comm.size
        array = np.arange(5.0) if comm.rank == 0 else np.zeros(5)
        comm.all_gather_slices(array, bounds)
        assert array.tolist() == [0, 1, 2, 3, 4]

    def test_all_gather_object_of_any_size(self, comm):
        own = {"rank": comm.rank, "text": "x" * 1000 * comm.rank, "none": None}
        expected = [
            {"rank": rank, "text": "x" * 1000 * rank, "none": None} for rank in range(comm.size)
        ]
        assert comm.all_gather_object(own) == expected

    def test_exchange_with_every_other_rank(self, comm):
        others = [rank for rank in range(comm.size) if rank != comm.rank]
        outgoing = {
            peer: [np.full(peer + 1, comm.rank, np.float32), np.array([10 * comm.rank + peer])]
            for peer in others
        }
        incoming = {
            peer: [np.empty(comm.rank + 1, np.float32), np.empty(1, np.int64)] for peer in others
        }
        assert comm.exchange(outgoing, incoming) is None
        for peer in others:
            numbers, code = incoming[peer]
            np.testing.assert_array_equal(numbers, np.full(comm.rank + 1, peer, np.float32))
            assert code.tolist() == [10 * peer + comm.rank]

    def test_exchange_of_large_arrays_does_not_lock_up(self, comm):
        # Beyond what MPI sends before the receiver asks for it: sends must not wait in turn.
        others = [rank for rank in range(comm.size) if rank != comm.rank]
        own = np.full(1_000_000, comm.rank, np.float64)
        incoming = {peer: [np.empty_like(own)] for peer in others}
        comm.exchange({peer: [own] for peer in others}, incoming)
        assert [int(incoming[peer][0][-1]) for peer in others] == others

    def test_exchange_in_one_direction(self, comm):
        peers = range(1, comm.size)
        incoming = {0: [np.empty(3)]} if comm.rank else {}
        outgoing = {} if comm.rank else {peer: [np.full(3, 7.0)] for peer in peers}
        comm.exchange(outgoing, incoming)
        assert all(array.tolist() == [7, 7, 7] for [array] in incoming.values())

    def test_exchange_with_nobody(self, comm):
        comm.exchange({}, {})

    def test_exchange_with_itself_is_refused(self, comm):
        for arguments in [({comm.rank: []}, {}), ({}, {comm.rank: []})]:
            with pytest.raises(ValueError, match=f"rank {comm.rank}: that is this rank itself"):
                comm.exchange(*arguments)

    def test_exchange_with_no_rank_is_refused(self, comm):
        with pytest.raises(ValueError, match="exchange with rank 4096: the ranks are 0 to"):
            comm.exchange({4096: [np.zeros(1)]}, {})

    def test_barrier(self, comm):
        assert comm.barrier() is None
