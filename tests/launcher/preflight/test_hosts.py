import platform
import sys
from types import SimpleNamespace

import pytest

from distgrad.launcher import LaunchError
from distgrad.launcher.mpi_runtime import loaded_library
from distgrad.launcher.mpirun import find_mpirun
from distgrad.launcher.preflight import hosts
from distgrad.launcher.preflight.hosts import Host, check_hosts, read_hostfile
from distgrad.launcher.preflight.this_machine import Planned

ON_EACH = ["reachable", "single copy", "shared memory", "memory", "disk", "cores"]


@pytest.fixture
def mpirun(clean_environment, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", clean_environment["PYTHONPATH"])
    return find_mpirun(loaded_library())


@pytest.fixture
def login(program, monkeypatch):
    """Has the MPIs log in to other hosts by a script of the test's instead of ssh."""

    def by(text):
        script = str(program("login", text))
        monkeypatch.setenv("PRTE_MCA_plm_ssh_agent", script)
        monkeypatch.setenv("OMPI_MCA_plm_rsh_agent", script)
        monkeypatch.setenv("HYDRA_LAUNCHER_EXEC", script)

    return by


def test_the_hosts_of_a_hostfile(tmp_path):
    file = tmp_path / "hosts"
    file.write_text("# ours\n\nh1 slots=4 max-slots=8 # big\nh2:2\nuser@h3\nh1 slots=4\n")
    assert read_hostfile(file) == [
        Host("h1", "h1 slots=4 max-slots=8"),
        Host("h2", "h2:2"),
        Host("h3", "user@h3"),
    ]


def test_a_hostfile_without_hosts_is_refused(tmp_path):
    file = tmp_path / "hosts"
    file.write_text("# later\n")
    with pytest.raises(LaunchError, match="names no host; write one on each line"):
        read_hostfile(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(LaunchError, match="cannot be read"):
        read_hostfile(file)


def test_a_host_answers_and_says_how_it_is(mpirun, tmp_path):
    here = [Host("localhost", "localhost")]
    results = list(check_hosts(mpirun, here, Planned(mpirun.mpi.vendor, 1, tmp_path)))
    assert [result.check for result in results] == ON_EACH, results
    assert {result.host for result in results} == {"localhost"}
    assert (results[0].level, results[0].text) == ("green", "answers")
    assert results[4].text.startswith(f"{tmp_path}: ")


def test_the_host_that_does_not_answer_is_named(mpirun, login, tmp_path):
    login('echo "ssh: Could not resolve hostname far-away: unknown" >&2; exit 255')
    both = [Host("far-away", "far-away"), Host("localhost", "localhost")]
    results = list(check_hosts(mpirun, both, Planned(mpirun.mpi.vendor, 1, tmp_path)))
    assert [result.check for result in results] == ["reachable", *ON_EACH]
    assert (results[0].host, results[0].level) == ("far-away", "red")
    expected = "does not answer: ssh: Could not resolve hostname far-away: unknown"
    assert results[0].text == expected
    assert results[0].remedy.startswith("getent hosts far-away ")
    assert results[1].level == "green"


def test_a_login_that_is_denied(mpirun, login, tmp_path):
    login('echo "far-away: Permission denied (publickey)." >&2; exit 255')
    far = [Host("far-away", "far-away")]
    (result,) = check_hosts(mpirun, far, Planned(mpirun.mpi.vendor, 1, tmp_path))
    assert result.remedy == "ssh-copy-id far-away"


def test_a_host_that_hangs_is_left_at_the_limit(mpirun, login, tmp_path, monkeypatch):
    monkeypatch.setattr(hosts, "_ANSWER_WITHIN", 2.0)
    login("exec sleep 60")
    far = [Host("far-away", "far-away")]
    (result,) = check_hosts(mpirun, far, Planned(mpirun.mpi.vendor, 1, tmp_path))
    assert result.level == "red"
    assert result.text == "no answer within 2 s; mpirun waited for its login"
    assert result.remedy.startswith("ssh far-away true ")


def test_a_host_without_distgrad(mpirun, tmp_path, monkeypatch):
    monkeypatch.setattr(hosts, "_PROGRAM", "distgrad_that_is_not_there")
    here = [Host("localhost", "localhost")]
    (result,) = check_hosts(mpirun, here, Planned(mpirun.mpi.vendor, 1, tmp_path))
    assert result.level == "red"
    assert result.text.endswith("No module named distgrad_that_is_not_there")
    assert result.remedy == f"ssh localhost {sys.executable} -m pip install distgrad"


def test_a_host_without_this_python(mpirun, tmp_path, monkeypatch):
    missing = str(tmp_path / "python")
    monkeypatch.setattr(hosts, "sys", SimpleNamespace(executable=missing))
    here = [Host(platform.node(), "localhost")]
    (result,) = check_hosts(mpirun, here, Planned(mpirun.mpi.vendor, 1, tmp_path))
    assert result.level == "red"
    assert missing in result.text
    assert result.remedy.startswith(f"ssh {platform.node()} ls -l {missing}")
