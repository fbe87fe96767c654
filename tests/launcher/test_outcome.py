import pytest

from distgrad.launcher.banners import Loss, Note
from distgrad.launcher.outcome import outcome

WAY_OUT = "The same command with --resume goes on from the run's last checkpoint."

EXIT_5 = 5 << 8  # as wait() tells it


def note(loss, *statuses):
    return Note(str(loss), loss, statuses)


@pytest.mark.parametrize("status", [0, 1, 2, 3, 5, 130])
def test_a_status_without_a_box_is_passed_on(status):
    assert outcome(status, []).status == status


def test_what_a_box_says_of_a_status_is_said():
    result = outcome(137, [Note("rank 1 ended with status 137")])
    assert (result.status, result.lines) == (137, ["rank 1 ended with status 137"])


def test_an_mpirun_that_a_signal_ended_has_lost_its_ranks():
    result = outcome(-9, [])
    assert (result.status, result.signal) == (4, 9)
    assert result.lines[0] == "mpirun was ended by signal 9 (Killed), and its ranks with it"
    assert result.lines[-1] == WAY_OUT


def test_a_hydra_that_dies_of_telling_ranks_that_are_gone_passes_on_their_abort():
    result = outcome(-13, [Note("rank 1 called MPI_Abort", abort=3)])
    assert (result.status, result.lines) == (3, ["rank 1 called MPI_Abort"])
    assert outcome(-13, []).status == 4


def test_a_status_of_a_signal_without_a_known_box_is_a_loss():
    result = outcome(139, [])
    assert (result.status, result.signal) == (4, 11)
    assert result.lines[0] == "a rank was ended by signal 11 (Segmentation fault)"


def test_a_status_that_is_no_signal_is_passed_on():
    assert outcome(255, []).status == 255


def test_open_mpi_names_the_one():
    result = outcome(137, [note(Loss(9, 1, "vm", 77))], first_to_end=0)
    assert (result.status, result.signal) == (4, 9)
    assert result.lines == [
        "rank 1 on vm (process 77) was ended by signal 9 (Killed)",
        "Mostly that is the kernel when memory runs out: dmesg tells.",
        WAY_OUT,
    ]


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (7, "Mostly that is shared memory that is full: see df -h /dev/shm."),
        (11, "That is a crash in compiled code, not in Python."),
        (4, "That is compiled code for another processor than this one."),
    ],
)
def test_a_signal_is_explained(number, cause):
    assert outcome(128 + number, [note(Loss(number, 1, "vm"))]).lines[1:] == [cause, WAY_OUT]


def test_a_signal_without_an_explanation_has_none():
    assert outcome(143, [note(Loss(15, 1, "vm"))]).lines[1:] == [WAY_OUT]


# What Hydra reports of three ranks when rank 2 was the first to end, and ended so; it ended the
# others itself, and tells or does not tell that it did.
KILLED, CRASHED, LEFT = 9, 11, EXIT_5


@pytest.mark.parametrize("others", [(9, 9), (0, 9), (9, 0), (0, 0)])
@pytest.mark.parametrize("seen", [True, False])
class TestHydra:
    def judge(self, end, others, seen):
        box = note(Loss(9, host="vm"))  # it may name any of them
        return outcome(9, [Note("", None, ((*others, end),)), box], 2 if seen else None)

    def test_a_crash_is_found_among_those_that_were_ended(self, others, seen):
        result = self.judge(CRASHED, others, seen)
        assert result.status == 4
        assert result.lines[0] == "rank 2 on vm was ended by signal 11 (Segmentation fault)"

    def test_a_status_is_found_among_those_that_were_ended(self, others, seen):
        result = self.judge(LEFT, others, seen)
        assert (result.status, result.lines) == (5, ["rank 2 ended with status 5"])

    def test_who_was_killed_first_is_known_where_it_was_seen(self, others, seen):
        result = self.judge(KILLED, others, seen)
        known = seen or others == (0, 0)
        who = "rank 2 on vm" if known else "a rank on vm"
        first = "" if others == (0, 0) or not seen else ", the first to end,"
        assert result.status == 4
        assert result.lines[0] == f"{who}{first} was ended by signal 9 (Killed)"


def test_intel_mpi_names_the_process_too():
    boxes = [note(Loss(9, rank, "vm", 70 + rank)) for rank in range(3)]
    result = outcome(255, [*boxes, Note("", None, ((9, 9, 9),))], first_to_end=1)
    assert result.status == 4
    first = "rank 1 on vm (process 71), the first to end,"
    assert result.lines[0] == f"{first} was ended by signal 9 (Killed)"


def test_across_hosts_the_rank_is_not_known():
    box = note(Loss(9, host="a"))
    crashed = outcome(9, [Note("", None, ((9, 9), (0, 11))), box], first_to_end=0)
    assert crashed.lines[0] == "a rank was ended by signal 11 (Segmentation fault)"
    left = outcome(9, [Note("", None, ((9, 9), (0, EXIT_5))), box])
    assert (left.status, left.lines) == (5, ["a rank ended with status 5"])
    killed = outcome(9, [Note("", None, ((9, 9), (0, 9))), box])
    assert killed.lines[0] == "a rank was ended by signal 9 (Killed)"


def test_all_may_have_been_ended_by_the_same_signal():
    result = outcome(10, [Note("", None, ((10, 10),)), note(Loss(10, host="vm"))])
    assert result.signal == 10
    assert result.lines[0] == "rank 0 on vm was ended by signal 10 (User defined signal 1)"


def test_one_that_dumps_its_core_may_not_be_the_first_to_be_gone():
    result = outcome(9, [Note("", None, ((9, 11),)), note(Loss(9, host="vm"))], first_to_end=0)
    assert result.lines[0] == "rank 1 on vm was ended by signal 11 (Segmentation fault)"


def test_the_first_to_end_may_have_ended_well():
    result = outcome(9, [Note("", None, ((0, 9),)), note(Loss(9, host="vm"))], first_to_end=0)
    assert result.lines[0] == "rank 1 on vm was ended by signal 9 (Killed)"
