import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.launcher.banners import BannerFilter, Loss, Note

RULE = b"-" * 74
DOUBLE_RULE = b"=" * 83

ABORT = b"""\
MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD
  Proc: [[7877,1],1]
  Errorcode: 3

NOTE: invoking MPI_ABORT causes Open MPI to kill all MPI processes.
You may or may not see output from other processes, depending on
exactly when Open MPI kills them.""".split(b"\n")

ABORTED = b"""\
prterun has exited due to process rank 1 with PID 0 on node vm calling
"abort". This may have caused other processes in the application to be
terminated by signals sent by prterun (as reported here).""".split(b"\n")

KILLED = b"""\
prterun noticed that process rank 1 with PID 4052 on node vm exited on
signal 9 (Killed).""".split(b"\n")

EXITED = b"""\
prterun detected that one or more processes exited with non-zero status,
thus causing the job to be terminated. The first process to do so was:

   Process name: [prterun-vm-4074@1,1]
   Exit code:    5""".split(b"\n")

ABORT_4 = b"""\
MPI_ABORT was invoked on rank 2 in communicator MPI_COMM_WORLD
with errorcode 3.

NOTE: invoking MPI_ABORT causes Open MPI to kill all MPI processes.
You may or may not see output from other processes, depending on
exactly when Open MPI kills them.""".split(b"\n")

TERMINATED_4 = b"""\
Primary job  terminated normally, but 1 process returned
a non-zero exit code. Per user-direction, the job has been aborted.""".split(b"\n")

KILLED_4 = [
    b"mpirun noticed that process rank 2 with PID 0 on node vm exited on signal 9 (Killed)."
]

EXITED_4 = b"""\
mpirun detected that one or more processes exited with non-zero status, thus causing
the job to be terminated. The first process to do so was:

  Process name: [[20315,1],2]
  Exit code:    5""".split(b"\n")

BAD_TERMINATION = b"""\
=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES
=   PID 4125 RUNNING AT vm
=   EXIT CODE: 9
=   CLEANING UP REMAINING PROCESSES
=   YOU CAN IGNORE THE BELOW CLEANUP MESSAGES""".split(b"\n")
BAD_TERMINATION_OF_INTEL = b"""\
=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES
=   RANK 2 PID 4125 RUNNING AT vm
=   KILLED BY SIGNAL: 11 (Segmentation fault)""".split(b"\n")
ABORT_OF_HYDRA = (
    b"Abort(3) on node 2 (rank 2 in comm 0): application called MPI_Abort(MPI_COMM_WORLD, 3) - "
    b"process 2"
)
STATUSES = b"[mpiexec@vm] Exit codes: [vm] 0,9,1280 [other:1] 0,0"
ADVICE = b"""\
YOUR APPLICATION TERMINATED WITH THE EXIT STRING: Killed (signal 9)
This typically refers to a problem with your application.
Please see the FAQ page for debugging suggestions""".split(b"\n")

BOXES = {
    "abort": ([RULE, *ABORT, RULE], Note("")),
    "abort of Open MPI 4": ([RULE, *ABORT_4, RULE], Note("rank 2 called MPI_Abort")),
    "aborted": ([RULE, *ABORTED, RULE], Note("rank 1 on vm called MPI_Abort")),
    "killed": (
        [RULE, *KILLED, RULE],
        Note("rank 1 on vm (process 4052) was ended by signal 9 (Killed)", Loss(9, 1, "vm", 4052)),
    ),
    "killed of Open MPI 4": (
        [RULE, *KILLED_4, RULE],
        Note("rank 2 on vm was ended by signal 9 (Killed)", Loss(9, 2, "vm", 0)),
    ),
    "exited": ([RULE, *EXITED, RULE], Note("rank 1 ended with status 5")),
    "exited of Open MPI 4": ([RULE, *EXITED_4, RULE], Note("rank 2 ended with status 5")),
    "terminated of Open MPI 4": ([RULE, *TERMINATED_4, RULE], Note("")),
    "forwarding of Open MPI 4": ([b"mpirun: Forwarding signal 10 to job"], Note("")),
    "mpich": (
        [b"", DOUBLE_RULE, *BAD_TERMINATION, DOUBLE_RULE, *ADVICE],
        Note("a rank on vm was ended by signal 9 (Killed)", Loss(9, host="vm")),
    ),
    "mpich with statuses": (
        [b"", DOUBLE_RULE, *BAD_TERMINATION, DOUBLE_RULE, STATUSES, *ADVICE],
        Note(
            "a rank on vm was ended by signal 9 (Killed)",
            Loss(9, host="vm"),
            ((0, 9, 1280), (0, 0)),
        ),
    ),
    "impi": (
        [b"", DOUBLE_RULE, *BAD_TERMINATION_OF_INTEL, DOUBLE_RULE],
        Note(
            "rank 2 on vm (process 4125) was ended by signal 11 (Segmentation fault)",
            Loss(11, 2, "vm", 4125),
        ),
    ),
    "statuses": ([STATUSES], Note("", statuses=((0, 9, 1280), (0, 0)))),
    "abort of Hydra": ([ABORT_OF_HYDRA], Note("rank 2 called MPI_Abort", abort=3)),
    "no statuses": ([b"[mpiexec@vm] Exit codes:"], Note("")),
}


def passed(lines):
    banner_filter = BannerFilter()
    shown = [line for fed in lines for line in banner_filter.feed(fed)]
    return shown + banner_filter.finish(), banner_filter.notes


@pytest.mark.parametrize("name", BOXES)
def test_a_known_box_becomes_a_note_and_its_surroundings_stay(name):
    box, note = BOXES[name]
    assert passed([b"before", *box, b"after"]) == ([b"before", b"after"], [note])


def test_the_mpich_box_may_follow_an_unfinished_line():
    box, note = BOXES["mpich"]
    assert passed(box[1:]) == ([], [note])


def test_boxes_may_follow_each_other():
    assert passed(BOXES["abort"][0] + BOXES["aborted"][0]) == (
        [],
        [BOXES["abort"][1], BOXES["aborted"][1]],
    )


@pytest.mark.parametrize("name", BOXES)
def test_a_box_that_lacks_or_changes_a_line_passes_whole(name):
    box, _ = BOXES[name]
    for i in range(len(box)):
        if box[i]:
            changed = [*box[:i], box[i].lower() + b" x", *box[i + 1 :]]
            assert passed(changed) == (changed, [])
            missing = box[:i] + box[i + 1 :]
            if missing != BOXES["mpich"][0]:
                assert passed(missing) == (missing, [])


def test_a_box_cut_short_passes_at_the_end():
    lines = [RULE, *ABORT]
    assert passed(lines) == (lines, [])


def test_a_rule_before_a_box_passes():
    assert passed([RULE, RULE, *KILLED, RULE]) == ([RULE], [BOXES["killed"][1]])


@given(st.lists(st.sampled_from([RULE, DOUBLE_RULE, b"", b"text", *ABORT[:2], *BAD_TERMINATION])))
def test_no_other_line_is_lost_or_moved(lines):
    assert passed(lines) == (lines, [])
