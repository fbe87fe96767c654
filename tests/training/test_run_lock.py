import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from distgrad.errors import UsageError
from distgrad.training import run_lock
from distgrad.training.run_lock import RunLock

HOLD = """
import sys, time
from pathlib import Path
from distgrad.training.run_lock import RunLock
lock = RunLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(run_lock, "PATIENCE", 0.2)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate(timeout=30)


def test_a_folder_in_use_is_refused_with_who_uses_it(tmp_path, holder, impatient):
    with pytest.raises(UsageError) as raised:
        RunLock(tmp_path)
    assert str(raised.value) == (
        f"the run folder {tmp_path} is in use by process {holder.pid} on {socket.gethostname()}; "
        "wait for its end, stop it, or give another folder with --run-dir"
    )


def test_a_killed_process_leaves_no_lock(tmp_path, holder):
    holder.kill()
    lock = RunLock(tmp_path)  # waits for it to be gone
    assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()
    lock.release()


def test_a_dying_process_is_waited_for(tmp_path):
    first = RunLock(tmp_path)
    timer = threading.Timer(0.3, first.release)
    timer.start()
    start = time.monotonic()
    RunLock(tmp_path).release()
    assert time.monotonic() - start > 0.2
    timer.join()


def test_it_can_be_taken_again_and_again(tmp_path):
    for _ in range(3):
        RunLock(tmp_path).release()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_who_holds_it_may_not_have_said_so(tmp_path, impatient, content):
    lock = RunLock(tmp_path)
    (tmp_path / ".lock").write_text(content)
    with pytest.raises(UsageError, match="is in use by another process; wait for its end"):
        RunLock(tmp_path)
    lock.release()


def test_a_file_system_without_locks_is_used_all_the_same(tmp_path, monkeypatch):
    def without(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without)
    RunLock(tmp_path).release()
