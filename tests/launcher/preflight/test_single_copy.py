import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from helpers import deny_system_call

from distgrad.launcher.preflight import peer_memory, single_copy

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux reads a peer's memory")


def yama(folder, scope):
    path = folder / "proc/sys/kernel/yama/ptrace_scope"
    path.parent.mkdir(parents=True)
    path.write_text(f"{scope}\n")
    return folder


def in_process(expression, *before, **environment):
    """Evaluates a check in a process of its own."""
    code = (
        "import json\nfrom dataclasses import asdict\n"
        "from distgrad.launcher.preflight import single_copy\n"
        f"print(json.dumps(asdict({expression})))"
    )
    done = subprocess.run(
        [*before, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
        check=False,
    )
    if done.returncode == deny_system_call.CANNOT:
        pytest.skip("no filter of system calls here")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_process_reads_its_own_memory():
    assert peer_memory.read_own() == peer_memory.CONTENT


def test_a_sibling_is_read_for_real(tmp_path):
    result = single_copy.between_siblings("openmpi", tmp_path)
    if result.level != "green":
        pytest.skip(f"not on this machine: {result.text}")
    assert result.text == "a process may read a sibling's memory (no Yama)"


@pytest.mark.parametrize("check", ["between_siblings", "of_this_process"])
def test_a_filter_of_system_calls_is_told_apart(check, without_single_copy):
    filtered = "a filter of system calls forbids process_vm_readv: Operation not permitted; "
    result = in_process(f"single_copy.{check}('openmpi')", *without_single_copy)
    assert result["level"] == "yellow"
    assert result["text"] == filtered + "large messages on one machine are copied twice"
    assert result["remedy"].startswith("export OMPI_MCA_smsc=^cma ")

    result = in_process(f"single_copy.{check}('mpich', where='docker')", *without_single_copy)
    assert result["level"] == "red"
    assert result["text"] == filtered + "MPICH fails at the first large message"
    assert result["remedy"] == (
        "docker run --cap-add=SYS_PTRACE ...   # or: export MPIR_CVAR_CH4_CMA_ENABLE=0"
    )

    result = in_process(f"single_copy.{check}('impi')", *without_single_copy)
    assert (result["level"], result["text"]) == ("green", filtered + "Intel MPI does without")

    off = {"MPIR_CVAR_CH4_CMA_ENABLE": "0"}
    result = in_process(f"single_copy.{check}('mpich')", *without_single_copy, **off)
    assert result["level"] == "yellow"


@pytest.mark.skipif(os.geteuid() != 0, reason="drops a right that only root has")
def test_a_sibling_that_may_not_be_read(program, tmp_path, monkeypatch):
    # The reader alone loses its capabilities: the other process then has more than it.
    drop = "setpriv --bounding-set -all --inh-caps -all --"
    python = f'case "$*" in *" read "*) exec {drop} {sys.executable} "$@";; esac\n'
    python += f'exec {sys.executable} "$@"'
    monkeypatch.setattr(sys, "executable", str(program("python", python)))
    result = single_copy.between_siblings("openmpi", tmp_path)
    assert result.level == "yellow"
    assert result.text == (
        "a process may not read a sibling's memory: [Errno 1] Operation not permitted (no Yama); "
        "large messages on one machine are copied twice"
    )
    assert result.remedy.startswith("export OMPI_MCA_smsc=^cma ")
    assert single_copy.between_siblings("mpich", tmp_path).level == "red"
    # Every MPI reads Yama's setting, and knows.
    result = single_copy.between_siblings("mpich", yama(tmp_path, 1))
    assert (result.level, result.remedy) == ("yellow", "sudo sysctl kernel.yama.ptrace_scope=0")


@pytest.mark.parametrize(
    ("scope", "level", "remedy"),
    [
        (0, "green", ""),
        (1, "green", ""),
        (3, "yellow", "sudo tee /etc/sysctl.d/99-ptrace.conf; reboot"),
    ],
)
def test_the_setting_of_yama_is_read(scope, level, remedy, tmp_path):
    result = single_copy.of_this_process("openmpi", yama(tmp_path, scope))
    assert result.level == level
    assert remedy in result.remedy


def test_scope_2_leaves_root_alone(tmp_path):
    result = single_copy.of_this_process("openmpi", yama(tmp_path, 2))
    assert result.level == ("green" if os.geteuid() == 0 else "yellow")


def test_the_program_of_the_check_imports_the_standard_library_only():
    path = Path(peer_memory.__file__)
    done = subprocess.run(
        [sys.executable, "-I", "-S", path, "read", "0", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "[Errno " in done.stderr


def test_a_result_is_one_line(tmp_path):
    result = asdict(single_copy.between_siblings("openmpi", tmp_path))
    assert "\n" not in result["text"] + result["remedy"]
