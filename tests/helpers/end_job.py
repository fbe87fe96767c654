"""A pytest plugin for tests that run on several ranks: a failure on one rank ends the whole job.

Without it the other ranks would wait in their next message for the rank that failed.
"""

import faulthandler
import os
import sys
import time

import pytest

TIMEOUT = 60.0
"""Seconds for one test, unless DISTGRAD_TEST_TIMEOUT says otherwise."""


class EndJobOnFailure:
    """Prints what failed on this rank and ends all ranks.

    A test that takes too long prints where each of its threads stands, and ends the job as well.
    """

    def __init__(self, config: pytest.Config) -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            self.stderr = os.dup(2)  # the job ends before pytest would show what it captured
        self.status = 0

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self._end(1, f"{report.nodeid} ({report.when})\n{report.longreprtext}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self):
        timeout = float(os.environ.get("DISTGRAD_TEST_TIMEOUT", TIMEOUT))
        faulthandler.dump_traceback_later(timeout, exit=True, file=self.stderr)
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def pytest_sessionfinish(self, exitstatus):
        self.status = int(exitstatus)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self):
        if self.status:  # such as an import that failed on this rank alone
            self._end(self.status, "see above")

    def _end(self, status, text):
        mpi = sys.modules.get("mpi4py.MPI")
        if mpi is None or mpi.COMM_WORLD.size == 1:
            return  # nobody waits
        world = mpi.COMM_WORLD
        if world.rank:
            time.sleep(0.5)  # what fails on every rank is told once, by rank 0
        line = f"rank {world.rank} of {world.size} failed: {text}\n"
        sys.stdout.flush()  # an abort drops it, and pytest has told the error there
        os.write(self.stderr, line.encode())
        time.sleep(1.0)  # an aborted job loses what mpirun has not yet passed on
        world.Abort(status)
