import shutil
import tempfile

import pytest
from helpers.end_job import EndJobOnFailure

import distgrad as dg

pytest.register_assert_rewrite("helpers.communicator_contract")


def _with_mpi(config):
    return any(config.getoption(option, default=False) for option in ("--with-mpi", "--only-mpi"))


def pytest_configure(config):
    if _with_mpi(config):
        config.pluginmanager.register(EndJobOnFailure(config))
        # One a rank: what pytest shares among its runs they would clear up under each other.
        folder = tempfile.mkdtemp(prefix="distgrad-tests-of-a-rank-")
        config.option.basetemp = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_ignore_collect(config):
    """Without ranks these tests do not exist; tests/test_multi_process.py runs them on several."""
    return None if _with_mpi(config) else True


@pytest.fixture(scope="session")
def comm():
    return dg.distributed.connect()


@pytest.fixture(scope="session")
def half():
    """The even ranks or the odd ones, in reversed order."""
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    return dg.distributed.connect(world.Split(color=world.rank % 2, key=-world.rank))


@pytest.fixture
def alone():
    """One process, on every rank: the reference."""
    return dg.distributed.SingleProcess()
