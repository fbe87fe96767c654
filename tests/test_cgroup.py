import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from distgrad.cgroup import Memory, cpu_quota, memory_limit

MB = 2**20


@pytest.fixture
def tree(tmp_path):
    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
        return tmp_path

    return write


def test_the_tightest_of_the_groups_above_counts(tree):
    root = tree(
        {
            "proc/self/cgroup": "0::/user/job",
            "sys/fs/cgroup/user/job/memory.max": "max",
            "sys/fs/cgroup/user/job/memory.current": 10 * MB,
            "sys/fs/cgroup/user/memory.max": 100 * MB,
            "sys/fs/cgroup/user/memory.current": 60 * MB,
            "sys/fs/cgroup/user/memory.stat": f"anon 5\ninactive_file {20 * MB}\nslab 3",
            "sys/fs/cgroup/user/job/cpu.max": "max 100000",
            "sys/fs/cgroup/user/cpu.max": "150000 100000",
        }
    )
    assert memory_limit(root) == Memory(limit=100 * MB, free=60 * MB)
    assert cpu_quota(root) == 1.5


def test_the_old_interface(tree):
    root = tree(
        {
            "proc/self/cgroup": "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/",
            # As in a container: the host's path is not there.
            "sys/fs/cgroup/memory/memory.limit_in_bytes": 200 * MB,
            "sys/fs/cgroup/memory/memory.usage_in_bytes": 300 * MB,
            "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 0",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": 200000,
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": 100000,
        }
    )
    assert memory_limit(root) == Memory(limit=200 * MB, free=0)
    assert cpu_quota(root) == 2.0


def test_no_limit(tree, tmp_path):
    assert memory_limit(tmp_path) is None
    root = tree(
        {
            "proc/self/cgroup": "4:memory:/\n1:cpu:/",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": 9223372036854771712,
            "sys/fs/cgroup/memory/memory.usage_in_bytes": MB,
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": -1,
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": 100000,
        }
    )
    assert memory_limit(root) is None
    assert cpu_quota(root) is None


def test_a_real_group_of_the_old_interface():
    group = Path("/sys/fs/cgroup/memory", f"distgrad-test-{uuid.uuid4().hex}")
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made: {error}")
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "Path(sys.argv[1], 'cgroup.procs').write_text(str(os.getpid()))\n"
        "from distgrad.cgroup import memory_limit\n"
        "print(memory_limit())\n"
    )
    try:
        (group / "memory.limit_in_bytes").write_text(str(300 * MB))
        done = subprocess.run(
            [sys.executable, "-c", code, str(group)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    finally:
        group.rmdir()
    assert done.stdout.startswith(f"Memory(limit={300 * MB}, free=")
