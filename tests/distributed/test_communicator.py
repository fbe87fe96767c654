import numpy as np
import pytest
from helpers.communicator_contract import CommunicatorContract

from distgrad.distributed import SingleProcess


class TestSingleProcess(CommunicatorContract):
    @pytest.fixture
    def comm(self):
        return SingleProcess()

    def test_is_rank_0_of_1(self, comm):
        assert (comm.rank, comm.size) == (0, 1)

    def test_abort_leaves_with_the_status(self, comm):
        with pytest.raises(SystemExit) as caught:
            comm.abort(7)
        assert caught.value.code == 7

    def test_leaves_arrays_alone(self, comm):
        array = np.arange(3.0)
        comm.broadcast(array)
        comm.all_reduce(array)
        comm.all_gather_slices(array, [0, 3])
        assert array.tolist() == [0, 1, 2]
