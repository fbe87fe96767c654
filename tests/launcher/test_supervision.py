import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from distgrad.launcher import LaunchError
from distgrad.launcher.output import tag_pattern
from distgrad.launcher.supervision import supervise

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")

WAIT = """
import os, signal, sys, time
from mpi4py import MPI
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
comm = MPI.COMM_WORLD
comm.Barrier()
print("ready", comm.rank, os.getpid())
if "stopped" in sys.argv:
    os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(60 if "briefly" not in sys.argv else 1)
"""


def rank_processes(launcher, ranks):
    """The process numbers of the ranks, once all of them are ready."""
    words = [launcher.stdout.readline().split() for _ in range(ranks)]
    assert {int(word[3]) for word in words} == set(range(ranks))
    return [int(word[4]) for word in words]


def status_fields(process):
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def gone(process):
    """Whether a process has ended; one whose end its parent has not noticed yet has."""
    try:
        return status_fields(process)[0] == "Z"
    except OSError:
        return True


def end(launcher):
    """Waits for the launcher; returns its exit status and the last line of its standard error."""
    _, err = launcher.communicate(timeout=30)
    return launcher.returncode, err.decode().rstrip().rpartition("\n")[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_a_signal_ends_the_job_and_leaves_nothing(ranks, number, launches):
    launcher = launches.start(ranks, WAIT)
    processes = rank_processes(launcher, ranks)
    launcher.send_signal(number)
    message = f"distgrad launch: {number.name}: ending all ranks (a second signal kills them)"
    assert end(launcher) == (130, message)
    assert all(map(gone, processes))


@pytest.mark.parametrize("manner", ["stubborn", "stopped"])
def test_ranks_that_do_not_listen_are_ended_too(manner, launches):
    launcher = launches.start(2, WAIT, manner)
    processes = rank_processes(launcher, 2)
    launcher.send_signal(signal.SIGINT)
    assert end(launcher)[0] == 130
    assert all(map(gone, processes))


def test_ranks_do_not_outlive_a_killed_mpirun(launches):
    launcher = launches.start(2, WAIT)
    processes = rank_processes(launcher, 2)
    mpirun = processes[0]
    while (parent := int(status_fields(mpirun)[1])) != launcher.pid:
        mpirun = parent
    os.kill(mpirun, signal.SIGKILL)
    assert end(launcher)[0] == 137
    assert all(map(gone, processes))


def test_a_signal_that_the_caller_ignores_stays_ignored(launches):
    nohup = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")
    launcher = launches.start(1, WAIT, "briefly", before=nohup)
    rank_processes(launcher, 1)
    launcher.send_signal(signal.SIGHUP)
    assert end(launcher) == (0, "")


def test_a_run_goes_on_when_the_reader_of_its_output_has_gone(launches, tmp_path):
    script = (
        "import os, sys, time\n"
        "for i in range(20): print('x' * 10_000); time.sleep(0.02)\n"
        "open(sys.argv[1], 'w').close()"
    )
    launcher = launches.start(1, script, str(tmp_path / "done"))
    launcher.stdout.readline()
    launcher.stdout.close()
    assert launcher.wait(timeout=60) == 0
    assert (tmp_path / "done").exists()


SUPERVISE = """
import sys
from distgrad.launcher.output import tag_pattern
from distgrad.launcher.supervision import supervise
sys.exit(supervise(sys.argv[1:], tag_pattern("mpich", (5,))))
"""


@pytest.fixture
def supervised(clean_environment):
    """Starts the supervision of a shell script that stands in for a misbehaving mpirun."""
    started = []

    def start(script):
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, "sh", "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=30)


def test_an_mpirun_that_does_not_end_is_killed(supervised):
    launcher = supervised('trap "" TERM; echo $$; sleep 60')
    mpirun = int(launcher.stdout.readline())
    launcher.terminate()
    assert end(launcher)[0] == 130
    assert gone(mpirun)


def test_a_second_signal_kills_without_waiting(supervised):
    launcher = supervised('trap "" TERM; echo $$; sleep 60')
    mpirun = int(launcher.stdout.readline())
    launcher.terminate()
    assert b"ending all ranks" in launcher.stderr.readline()  # else the two might become one
    launcher.terminate()
    assert end(launcher)[0] == 130
    assert gone(mpirun)


def test_what_a_failed_job_leaves_in_a_session_of_its_own_is_ended(supervised):
    launcher = supervised("setsid sleep 60 & echo $!; exit 4")
    left = int(launcher.stdout.readline())
    assert end(launcher)[0] == 4
    assert gone(left)


@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -SEGV $$", 139)])
def test_the_status_of_mpirun_is_passed_on(script, status, supervised):
    assert end(supervised(script))[0] == status


def test_an_mpirun_that_cannot_start_is_named(tmp_path):
    with pytest.raises(LaunchError, match=r"cannot start .*/mpirun: .*No such file"):
        supervise([str(tmp_path / "mpirun")], tag_pattern("mpich", (5,)))


def test_the_handlers_of_the_caller_come_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert supervise(["true"], tag_pattern("mpich", (5,))) == 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_mpirun_that_could_not_start_its_server_is_started_again(supervised, tmp_path):
    mark = tmp_path / "failed once"
    rule = "-" * 74
    box = f"{rule}\nThe PMIx server's listener thread failed to start. We cannot\ncontinue.\n{rule}"
    launcher = supervised(
        f'if [ -e "{mark}" ]; then exit 0; fi; touch "{mark}"; echo "{box}" >&2; exit 213'
    )
    assert end(launcher)[0] == 0
