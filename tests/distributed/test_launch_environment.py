import pytest

from distgrad.distributed import launched_rank, launched_size
from distgrad.distributed.launch_environment import leave_out_ofi


@pytest.mark.parametrize(
    ("environment", "rank", "size"),
    [
        ({}, 0, None),
        ({"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2"}, 2, 4),
        ({"PMI_SIZE": "3", "PMI_RANK": "1"}, 1, 3),
        ({"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "7"}, 7, 8),
        ({"SLURM_PROCID": "7", "SLURM_NTASKS": "8"}, 0, None),  # a batch script, not a task of srun
        ({"OMPI_COMM_WORLD_SIZE": "2"}, 0, 2),
    ],
)
def test_what_launchers_say(environment, rank, size):
    assert launched_rank(environment) == rank
    assert launched_size(environment) == size


def test_mpirun_inside_a_slurm_step_counts():
    environment = {
        "SLURM_STEP_NUM_TASKS": "1",
        "SLURM_PROCID": "0",
        "OMPI_COMM_WORLD_SIZE": "4",
        "OMPI_COMM_WORLD_RANK": "3",
    }
    assert (launched_rank(environment), launched_size(environment)) == (3, 4)


@pytest.mark.parametrize("chosen", ["self,sm,tcp", "^openib", ""])
def test_chosen_transports_are_left_as_they_are(chosen):
    environment = {"OMPI_MCA_btl": chosen}
    leave_out_ofi(environment)
    assert environment == {"OMPI_MCA_btl": chosen}
