import mmap
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from helpers.jobs import gone

from distgrad.launcher import LaunchError, leftovers
from distgrad.launcher.job_folder import JobFolder
from distgrad.launcher.leftovers import FOLDER_PREFIX, MARK, clear, remove_files

pytestmark = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path, monkeypatch):
    """A TMPDIR of the test's own."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def shared_memory(tmp_path, monkeypatch):
    """Stands in for /dev/shm, which other jobs use."""
    folder = tmp_path / "shm"
    folder.mkdir()
    monkeypatch.setattr(leftovers, "_PLACES", {folder: ("mpich_*", "sm_segment.*")})
    return folder


@pytest.fixture
def marked_process():
    """Starts a process that carries the mark of a folder."""
    started = []

    def start(folder):
        process = subprocess.Popen(
            [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"],
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, MARK: str(folder)},
        )
        started.append(process)
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_folder_is_this_users_alone_and_goes_with_all_that_is_in_it():
    with JobFolder() as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700
        (folder.path / "session").mkdir()
        (folder.path / "session/file").touch()
    assert not folder.path.exists()


@pytest.mark.parametrize("ended_well", [True, False])
def test_processes_of_a_job_that_did_not_end_well_are_ended(ended_well, marked_process):
    with JobFolder() as folder:
        process = marked_process(folder.path)
        folder.ended_well = ended_well
    assert gone(process.pid) is not ended_well


def test_the_guard_is_gone_in_the_end():
    with JobFolder() as folder:
        guard = folder._guard.pid
        assert not gone(guard)
    assert gone(guard)


OWNER = """
import os, sys, tempfile, time
tempfile.tempdir = sys.argv[1]
from distgrad.launcher.job_folder import JobFolder
with JobFolder() as folder:
    print(folder.path, folder._guard.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def owner(clean_environment, temporary_folder):
    """Another launcher with a job; and its folder, and its guard."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, temporary_folder],
        stdout=subprocess.PIPE,
        env=clean_environment,
    )
    path, guard = process.stdout.readline().split()
    yield process, Path(os.fsdecode(path)), int(guard)
    process.kill()
    process.communicate()


def test_the_guard_clears_up_after_a_killed_launcher(owner, marked_process):
    launcher, path, guard = owner
    rank = marked_process(path)
    (path / "session").touch()
    launcher.kill()
    wait_until(lambda: gone(guard))
    assert gone(rank.pid)
    assert not path.exists()


def test_the_next_launch_clears_up_after_a_killed_launcher_and_guard(owner, marked_process):
    launcher, path, guard = owner
    rank = marked_process(path)
    os.kill(guard, signal.SIGKILL)
    launcher.kill()
    launcher.wait()
    wait_until(lambda: gone(guard))
    assert not gone(rank.pid)
    with JobFolder() as folder:
        assert gone(rank.pid)
        assert not path.exists()
        assert folder.path.exists()


@pytest.mark.parametrize("locks", [True, False])
def test_the_job_of_a_living_launcher_is_left_alone(locks, owner, marked_process, monkeypatch):
    if not locks:
        monkeypatch.setattr("fcntl.flock", lambda *_: None)
    _, path, guard = owner
    rank = marked_process(path)
    with JobFolder():
        pass
    assert path.exists()
    assert not gone(rank.pid)
    assert not gone(guard)


def test_what_only_looks_like_a_jobs_folder_is_left_alone(temporary_folder):
    file = temporary_folder / f"{FOLDER_PREFIX}file"
    file.touch()
    link = temporary_folder / f"{FOLDER_PREFIX}link"
    link.symlink_to(temporary_folder)
    with JobFolder():
        pass
    assert link.is_symlink()
    assert temporary_folder.exists()


def test_no_place_for_the_folder_is_said_with_the_way_out(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with (
        pytest.raises(LaunchError, match=r"cannot make a folder .*/nowhere.* Set TMPDIR"),
        JobFolder(),
    ):
        pass


def make(path):
    path.write_bytes(bytes(4096))
    return path


def test_shared_memory_that_nobody_holds_is_removed(shared_memory):
    left = [make(shared_memory / name) for name in ("mpich_shm_1_0", "sm_segment.vm.0.1.0")]
    since = left[0].stat().st_ctime
    remove_files(since)
    assert not any(path.exists() for path in left)


def test_shared_memory_that_is_held_is_left_alone(shared_memory):
    opened, mapped, unheld = (make(shared_memory / f"mpich_{i}") for i in range(3))
    with opened.open("r+b"), mapped.open("r+b") as file:
        view = mmap.mmap(file.fileno(), 0)
        file.close()
        remove_files(0)
        view.close()
    assert opened.exists()
    assert mapped.exists()
    assert not unheld.exists()


def test_older_and_other_files_are_left_alone(shared_memory):
    older = make(shared_memory / "mpich_1")
    other = make(shared_memory / "another")
    remove_files(older.stat().st_ctime + 1)
    remove_files(0)
    assert other.exists()


def test_what_came_before_the_job_is_left_alone(shared_memory, temporary_folder):
    before = make(shared_memory / "mpich_before")
    seconds = int(before.stat().st_ctime) + 10
    folder = temporary_folder / f"{FOLDER_PREFIX}{seconds}-abc"
    folder.mkdir()
    clear(folder)
    assert before.exists()
    assert not folder.exists()
    clear(temporary_folder / f"{FOLDER_PREFIX}{seconds - 20}-abc")
    assert not before.exists()


def test_a_folder_of_another_name_began_just_now(shared_memory, temporary_folder):
    before = make(shared_memory / "mpich_before")
    os.utime(before)
    time.sleep(0.05)
    clear(temporary_folder / "another")
    assert before.exists()


def test_the_guard_needs_nothing_but_its_own_file(tmp_path):
    alone = shutil.copy(leftovers.__file__, tmp_path / "alone.py")
    folder = tmp_path / f"{FOLDER_PREFIX}{int(time.time())}-abc"
    folder.mkdir()
    command = [sys.executable, "-I", "-S", alone, folder]
    subprocess.run(command, stdin=subprocess.DEVNULL, timeout=60, check=True)
    assert not folder.exists()
