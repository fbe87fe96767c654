import numpy as np

from distgrad.distributed import SingleProcess
from distgrad.distributed.agreement import check_same, check_same_parameters


def test_one_process_agrees_with_itself():
    comm = SingleProcess()
    check_same(comm, "reduction", "tree")
    check_same_parameters(comm, [("weight", (2, 3), np.dtype(np.float32))])
    check_same_parameters(comm, [])
