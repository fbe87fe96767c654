import re

import pytest

from distgrad.launcher import LaunchError, LaunchOptions


def test_defaults_ask_for_the_mpi_that_is_there_on_this_machine():
    options = LaunchOptions(ranks=1)
    assert options.mpi is None
    assert options.hostfile is None


@pytest.mark.parametrize("ranks", [0, -3])
def test_there_is_at_least_one_rank(ranks):
    with pytest.raises(LaunchError, match=f"must be at least 1; got -n {ranks}") as caught:
        LaunchOptions(ranks)
    assert caught.value.exit_status == 2


def test_an_unknown_mpi_is_answered_with_the_known_ones():
    with pytest.raises(LaunchError, match="--mpi must be openmpi, mpich or impi; got 'lam'"):
        LaunchOptions(1, mpi="lam")


def test_a_missing_hostfile_is_named(tmp_path):
    path = tmp_path / "hosts"
    with pytest.raises(LaunchError, match=re.escape(f"--hostfile {path}: there is no such file")):
        LaunchOptions(1, hostfile=path)


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_the_time_to_stop_is_positive(seconds):
    with pytest.raises(LaunchError, match=f"stop_within must be positive; got {seconds}"):
        LaunchOptions(1, stop_within=seconds)
