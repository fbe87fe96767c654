import os
import subprocess
import sys

import pytest
from helpers.mounts import read_only, small_disk

from distgrad.launcher.command_line import usable_cores
from distgrad.launcher.preflight import resources

KB, MB, GB = 2**10, 2**20, 2**30


def a_machine(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("vendor", "ranks", "megabytes", "level"),
    [
        ("openmpi", 2, 64, "green"),
        ("openmpi", 2, 16, "yellow"),
        ("openmpi", 2, 1, "yellow"),
        ("openmpi", 64, 64, "yellow"),
        ("mpich", 2, 64, "green"),
        ("mpich", 2, 4, "yellow"),
        ("mpich", 2, 1, "red"),
        ("mpich", 60, 64, "red"),
        ("impi", 2, 64, "green"),
        ("impi", 2, 32, "yellow"),
        (None, 2, 64, "green"),
        (None, 2, 1, "yellow"),
    ],
)
def test_shared_memory_is_compared_with_what_the_mpi_takes(
    vendor, ranks, megabytes, level, tmp_path
):
    with small_disk(tmp_path, f"{megabytes}m"):
        result = resources.shared_memory(vendor, ranks, tmp_path)
    assert result.level == level
    assert result.text.startswith(f"{tmp_path}: {megabytes} MB of {megabytes} MB free, ")
    assert (result.remedy == f"sudo mount -o remount,size=1g {tmp_path}") == (level != "green")


def test_shared_memory_that_others_fill_is_not_too_small(tmp_path):
    with small_disk(tmp_path, "64m"):
        (tmp_path / "left behind").write_bytes(b"\1" * 60 * MB)
        result = resources.shared_memory("openmpi", 2, tmp_path)
    assert result.level == "yellow"
    assert "4 MB of 64 MB free" in result.text
    assert result.remedy.startswith(f"ls -l {tmp_path}")


@pytest.mark.parametrize(
    ("where", "remedy"),
    [
        ("docker", "docker run --shm-size=1g ..."),
        ("podman", "podman run --shm-size=1g ..."),
        ("kubernetes", "emptyDir: {medium: Memory}"),
    ],
)
def test_in_a_container_the_remedy_is_an_option_of_what_started_it(where, remedy, tmp_path):
    with small_disk(tmp_path, "1m"):
        assert remedy in resources.shared_memory("mpich", 2, tmp_path, where).remedy


def test_no_shared_memory_at_all(tmp_path):
    result = resources.shared_memory("openmpi", 2, tmp_path / "shm")
    assert (result.level, result.text) == ("red", f"there is no {tmp_path / 'shm'}")


@pytest.mark.parametrize(
    ("available", "swap", "ranks", "level"),
    [
        (8 * GB, 0, 4, "green"),
        (512 * MB, 512 * MB, 4, "green"),
        (512 * MB, 0, 4, "yellow"),
        (90 * MB, 0, 4, "red"),
    ],
)
def test_memory_is_compared_with_the_number_of_ranks(available, swap, ranks, level, tmp_path):
    meminfo = f"MemTotal: 1 kB\nMemAvailable: {available // KB} kB\nSwapFree: {swap // KB} kB\n"
    result = resources.memory(ranks, a_machine(tmp_path, {"proc/meminfo": meminfo}))
    assert result.level == level
    if level == "yellow":
        assert result.text == "512 MB free: 128 MB for each of 4 ranks"
        assert result.remedy == "distgrad launch -n 2 ..."
    if level == "red":
        assert result.text == "90 MB free; 4 ranks take 200 MB before they hold a model"


def test_the_control_groups_limit_counts_where_it_is_tighter(tmp_path):
    files = {
        "proc/meminfo": "MemAvailable: 8388608 kB\nSwapFree: 0 kB\n",
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": f"{512 * MB}\n",
        "sys/fs/cgroup/memory.current": f"{400 * MB}\n",
        "sys/fs/cgroup/memory.stat": f"anon 1\ninactive_file {16 * MB}\n",
    }
    result = resources.memory(2, a_machine(tmp_path, files), "docker")
    assert result.level == "yellow"
    assert result.text.startswith("128 MB left of the control group's limit of 512 MB: 64 MB for")
    assert result.remedy == "docker run --memory=2g ..."


def test_a_system_that_does_not_tell_its_memory_is_left_alone(tmp_path):
    assert resources.memory(2, tmp_path).level == "green"


def test_this_machines_memory_and_cores():
    assert "free" in resources.memory(1).text or "left of" in resources.memory(1).text
    assert resources.cores(1).text.startswith(f"{usable_cores()} usable core")


def test_a_folder_that_is_to_be_made_is_judged_by_the_one_above(tmp_path):
    result = resources.disk(tmp_path / "runs" / "of" / "today")
    assert result.level in ("green", "yellow")
    assert result.text.startswith(f"{tmp_path}: ")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("size", "level"), [("100m", "yellow"), ("512k", "red")])
def test_a_small_disk(size, level, tmp_path):
    with small_disk(tmp_path, size):
        result = resources.disk(tmp_path)
    assert result.level == level
    assert "distgrad launch --run-dir PATH" in result.remedy


def test_a_full_disk(tmp_path):
    with small_disk(tmp_path, "1m"):
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "filled").write_bytes(b"\1" * 2 * MB)
        result = resources.disk(tmp_path)
    assert result.level == "red"
    assert result.text == f"{tmp_path} is full: No space left on device"


def test_a_disk_that_cannot_be_written(tmp_path):
    with read_only(tmp_path):
        result = resources.disk(tmp_path / "runs")
    assert result.level == "red"
    assert result.text == f"{tmp_path} cannot be written: Read-only file system"


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "runs").touch()
    result = resources.disk(tmp_path / "runs")
    assert (result.level, "cannot be written: Not a directory" in result.text) == ("red", True)


def test_the_place_of_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert resources.temporary_files().text.startswith(f"{tmp_path}: ")
    with small_disk(tmp_path, "32m"):
        result = resources.temporary_files()
    assert (result.level, result.text) == ("yellow", f"{tmp_path}: 32 MB of 32 MB free: little")
    with read_only(tmp_path):
        result = resources.temporary_files()
    assert result.level == "red"
    assert result.remedy.startswith("export TMPDIR=")


def test_ranks_that_share_cores():
    result = resources.cores(usable_cores() + 1)
    assert result.level == "yellow"
    assert result.remedy == f"distgrad launch -n {usable_cores()} ..."


def test_a_quota_of_processor_time_below_the_ranks(tmp_path):
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}
    result = resources.cores(1, a_machine(tmp_path, files), "docker")
    assert result.level == "yellow"
    assert "time of 0.5 by the control group for 1 ranks" in result.text
    assert result.remedy == "docker run --cpus=1 ..."


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs affinity")
def test_a_process_bound_to_one_core_sees_one():
    code = "from distgrad.launcher.preflight.resources import cores; print(cores(1).text)"
    one = min(os.sched_getaffinity(0))
    done = subprocess.run(
        [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {{{one}}})\n{code}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("1 usable core")
