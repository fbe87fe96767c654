import pytest
from helpers.communicator_contract import CommunicatorContract
from mpi4py import MPI

import distgrad as dg
from distgrad.distributed.mpi import MpiCommunicator

pytestmark = pytest.mark.mpi


class TestMpi(CommunicatorContract):
    def test_is_that_of_all_ranks(self, comm):
        assert isinstance(comm, MpiCommunicator)
        assert (comm.rank, comm.size) == (MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size)
        assert comm.size == dg.distributed.launched_size()
        assert comm.rank == dg.distributed.launched_rank()


class TestPartOfTheRanks(CommunicatorContract):
    @pytest.fixture
    def comm(self, half):
        return half

    def test_has_half_of_the_ranks(self, comm):
        world = MPI.COMM_WORLD
        members = range(world.rank % 2, world.size, 2)
        assert comm.size == len(members)
        assert comm.all_gather_object(world.rank) == list(reversed(members))


def test_messages_of_the_caller_do_not_meet_those_of_distgrad():
    world = MPI.COMM_WORLD
    comm = dg.distributed.connect(world)
    peer = (world.rank + 1) % world.size
    request = world.isend("the caller's", peer, tag=0)
    assert comm.all_gather_object(1) == [1] * world.size
    assert world.recv(tag=0) == "the caller's"
    request.wait()
