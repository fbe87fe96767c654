import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.jobs import STEPS, end, gone, mpirun_of, rank_processes

from distgrad.launcher import LaunchError
from distgrad.launcher.job_folder import JobFolder
from distgrad.launcher.output import tag_pattern
from distgrad.launcher.supervision import supervise

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")

WAY_OUT = "distgrad launch: The same command with --resume goes on from the run's last checkpoint."


def said(launcher):
    """The launcher's exit status and what it has said, without what tells of the machine."""
    status, _, err = end(launcher)
    lines = [line for line in err if "usable cores" not in line]
    return status, lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_a_signal_asks_the_ranks_to_stop_and_leaves_nothing(ranks, number, launches):
    launcher = launches.start(ranks, STEPS)
    processes = rank_processes(launcher, ranks)
    launcher.send_signal(number)
    status, out, err = end(launcher)
    assert status == 130
    assert [line for line in err if "usable cores" not in line] == [
        f"distgrad launch: {number.name}: the ranks are asked to finish their step and write a "
        "checkpoint, within 60 s (a second signal kills them)"
    ]
    stopped = {line.partition("] ")[2] for line in out}
    assert len(out) == ranks
    assert len(stopped) == 1
    assert stopped.pop().startswith("stopped after step ")
    assert all(map(gone, processes))


@pytest.mark.parametrize("manner", ["deaf", "hanging"])
def test_ranks_that_do_not_leave_in_time_are_named_and_killed(manner, launches):
    launcher = launches.start(2, STEPS, manner, stop_within=1)
    processes = rank_processes(launcher, 2)
    launcher.send_signal(signal.SIGINT)
    status, err = said(launcher)
    assert status == 130
    named = ", ".join(f"rank {rank} (process {process})" for rank, process in enumerate(processes))
    assert err[-1] == f"distgrad launch: {named} did not leave within 1 s; killed"
    assert all(map(gone, processes))


def test_a_second_signal_kills_at_once(launches):
    launcher = launches.start(2, STEPS, "deaf")
    processes = rank_processes(launcher, 2)
    launcher.terminate()
    while b"a second signal kills them" not in launcher.stderr.readline():
        pass
    launcher.send_signal(signal.SIGINT)
    assert said(launcher) == (130, [])
    assert all(map(gone, processes))


def test_two_signals_in_one_moment_are_one(launches):
    launcher = launches.start(2, STEPS)
    rank_processes(launcher, 2)
    launcher.send_signal(signal.SIGTERM)
    launcher.send_signal(signal.SIGINT)
    status, out, _ = end(launcher)
    assert status == 130
    assert len(out) == 2


def test_a_terminal_that_closes_tells_so_more_than_once(launches):
    launcher = launches.start(2, STEPS, "slow")
    rank_processes(launcher, 2)
    launcher.send_signal(signal.SIGHUP)
    while b"a second signal kills them" not in launcher.stderr.readline():
        pass
    launcher.send_signal(signal.SIGHUP)
    status, out, _ = end(launcher)
    assert status == 130
    assert len(out) == 2


def test_a_failure_on_the_way_out_is_not_hidden(launches):
    launcher = launches.start(2, STEPS, "failing")
    rank_processes(launcher, 2)
    launcher.terminate()
    assert end(launcher)[0] == 3


def test_ranks_do_not_outlive_a_killed_mpirun(launches):
    launcher = launches.start(2, STEPS)
    processes = rank_processes(launcher, 2)
    os.kill(mpirun_of(launcher, processes[0]), signal.SIGKILL)
    status, err = said(launcher)
    assert status == 4
    assert err == [
        "distgrad launch: mpirun was ended by signal 9 (Killed), and its ranks with it",
        "distgrad launch: Mostly that is the kernel when memory runs out: dmesg tells.",
        WAY_OUT,
    ]
    assert all(map(gone, processes))


def test_a_signal_that_the_caller_ignores_stays_ignored(launches):
    nohup = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")
    launcher = launches.start(1, STEPS, "briefly", before=nohup)
    rank_processes(launcher, 1)
    launcher.send_signal(signal.SIGHUP)
    assert said(launcher) == (0, [])


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
import os, sys
from distgrad.launcher import supervision
from distgrad.launcher.job_folder import JobFolder
from distgrad.launcher.output import tag_pattern
from distgrad.launcher.supervision import supervise
supervision._PROGRESS = 0.4
with JobFolder() as folder:
    sys.exit(supervise(sys.argv[1:], tag_pattern("mpich", (5,)), folder, 1, os.environ, 1.0))
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
    launcher = supervised('trap "" USR1; echo $$; sleep 60')
    mpirun = int(launcher.stdout.readline())
    launcher.terminate()
    status, err = said(launcher)
    assert status == 130
    left = "mpirun and the ranks on other hosts"
    assert err[1:] == [
        f"distgrad launch: waiting for {left}; 1 s left",
        f"distgrad launch: waiting for {left}; 0 s left",
        f"distgrad launch: {left} did not leave within 1 s; killed",
    ]
    assert gone(mpirun)


def test_an_mpirun_that_is_only_just_starting_may_die_of_the_request(supervised):
    launcher = supervised("echo $$; sleep 60")
    mpirun = int(launcher.stdout.readline())
    launcher.terminate()
    assert said(launcher)[0] == 130
    assert gone(mpirun)


def test_what_a_failed_job_leaves_in_a_session_of_its_own_is_ended(supervised):
    launcher = supervised("setsid sleep 60 & echo $!; exit 4")
    left = int(launcher.stdout.readline())
    assert said(launcher)[0] == 4
    assert gone(left)


@pytest.mark.parametrize(
    ("script", "status"), [("exit 7", 7), ("exit 130", 130), ("exit 139", 4), ("kill -SEGV $$", 4)]
)
def test_the_status_of_mpirun_is_passed_on_but_that_of_a_signal(script, status, supervised):
    assert said(supervised(script))[0] == status


def in_this_process(command):
    with JobFolder() as folder:
        return supervise(command, tag_pattern("mpich", (5,)), folder, 1, os.environ, 1.0)


def test_an_mpirun_that_cannot_start_is_named(tmp_path):
    with pytest.raises(LaunchError, match=r"cannot start .*/mpirun: .*No such file"):
        in_this_process([str(tmp_path / "mpirun")])


def test_the_handlers_of_the_caller_come_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert in_this_process(["true"]) == 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_mpirun_that_could_not_start_its_server_is_started_again(supervised, tmp_path):
    mark = tmp_path / "failed once"
    rule = "-" * 74
    box = f"{rule}\nThe PMIx server's listener thread failed to start. We cannot\ncontinue.\n{rule}"
    launcher = supervised(
        f'if [ -e "{mark}" ]; then exit 0; fi; touch "{mark}"; echo "{box}" >&2; exit 213'
    )
    assert said(launcher)[0] == 0
