"""What a rank reports of itself; the judgement of it is the launcher's."""

import json

import pytest
from helpers.mpi import mpirun

from distgrad.distributed.probe import describe_placement

PROBE = ["python", "-m", "distgrad.distributed.probe"]


def reports(done):
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted(found, key=lambda report: report["rank"])


def test_each_rank_reports_at_each_stage():
    done = mpirun(3, PROBE)
    assert done.returncode == 0, done.stderr
    for rank in range(3):
        mine = [report for report in reports(done) if report["rank"] == rank]
        assert [report["stage"] for report in mine] == ["started", "connected", "measured"]
        started, connected, measured = mine
        assert started["launched_size"] == connected["size"] == measured["size"] == 3
        assert set(measured["threads"].values()) <= {1}
        assert measured["cores_of_host"] >= len(measured["cores"]) >= 1
        assert set(measured["software"]) >= {"distgrad", "Python", "NumPy", "BLAS", "MPI"}
        assert abs(measured["clock"]["offset"]) <= measured["clock"]["uncertainty"] + 0.1


def test_rank_0_measures_messages_with_one_rank_of_each_host():
    measured = [report for report in reports(mpirun(3, PROBE)) if report["stage"] == "measured"]
    assert [len(report["messages"]) for report in measured] == [1, 0, 0]
    (message,) = measured[0]["messages"]
    assert message["peer"] == 1
    assert message["latency_us"] > 0
    assert list(message["bandwidth_gb_s"]) == ["65536", "1048576", "8388608"]
    assert all(speed > 0 for speed in message["bandwidth_gb_s"].values())


def test_an_error_is_reported_and_raised():
    done = mpirun(2, PROBE, env={"MPI4PY_LIBMPI": "/nowhere/libmpi.so"})
    if done.returncode == 0:
        pytest.skip("this mpi4py is bound to one MPI")
    failed = [report for report in reports(done) if report["stage"] == "failed"]
    assert failed
    assert not failed[0]["connected"]
    assert failed[0]["error"].startswith("UsageError: no MPI library can be loaded ")
    assert "UsageError: no MPI library" in done.stderr


def test_the_placement_of_this_process():
    placement = describe_placement()
    assert len(placement["cores"]) <= len(placement["cpus"])
    assert placement["cores_of_host"] >= len(placement["cores"])
