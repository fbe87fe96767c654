import pytest
from helpers.mpi import mpirun

from distgrad.distributed import SingleProcess
from distgrad.errors import TrainingError, UsageError
from distgrad.training.together import together


def refuse(message):
    raise UsageError(message)


def test_one_process_gets_the_result_or_the_error():
    assert together(SingleProcess(), lambda: "made") == "made"
    with pytest.raises(UsageError, match=r"^no such file$"):
        together(SingleProcess(), lambda: refuse("no such file"))


def test_another_error_may_be_the_refusal():
    def fail():
        raise TrainingError("the disk is full")

    with pytest.raises(TrainingError, match=r"^the disk is full$"):
        together(SingleProcess(), fail, TrainingError)
    with pytest.raises(TrainingError):
        together(SingleProcess(), fail)


PROGRAM = """
import sys
from distgrad.distributed import connect
from distgrad.errors import UsageError
from distgrad.training.together import together

def work():
    if str(comm.rank) in sys.argv[1]:
        raise UsageError(f"rank {comm.rank} finds nothing")
    return comm.rank

comm = connect()
try:
    said = together(comm, work)
except UsageError as error:
    said = str(error).replace(comm.host, "HOST")
everyone = comm.all_gather_object(said)
if comm.rank == 0:
    print(everyone)
"""


@pytest.mark.parametrize(
    ("troubled", "said"),
    [
        ("", [0, 1, 2]),
        ("12", ["rank 1 on HOST: rank 1 finds nothing"] * 3),
        ("2", ["rank 2 on HOST: rank 2 finds nothing"] * 3),
        ("012", ["rank 0 finds nothing"] * 3),
    ],
)
def test_what_one_rank_finds_all_raise(troubled, said):
    done = mpirun(3, ["python", "-c", PROGRAM, troubled])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(said)
