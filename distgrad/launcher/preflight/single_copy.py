"""May a rank read a large message out of its peer's memory?

Both MPIs do so on one machine (cross memory attach, CMA), unless the system forbids it: Yama, a
container's filter of system calls (seccomp), or another limit of what one process may see of
another.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from distgrad.launcher.mpi_runtime import run_child
from distgrad.launcher.preflight import peer_memory
from distgrad.launcher.preflight.container import remedy
from distgrad.launcher.preflight.result import Result, green, red, yellow

_CHECK = "single copy"

_ANSWER_WITHIN = 10.0

_COPIED_TWICE = "large messages on one machine are copied twice"

_MPICH_OFF = ("MPIR_CVAR_CH4_CMA_ENABLE", "0")
# The name of Open MPI 5, and that of 4.
_OPENMPI_OFF = "OMPI_MCA_smsc=^cma OMPI_MCA_btl_vader_single_copy_mechanism=none"


def between_siblings(
    vendor: str | None, root: Path = Path("/"), where: str | None = None
) -> Result:
    """Has one process read the memory of another, both children of this one."""
    refused = _own_refusal()
    if refused:
        return _filtered(vendor, refused, where)
    scope = _ptrace_scope(root)
    yama = "no Yama" if scope is None else f"ptrace_scope {scope}"
    refused = _sibling_refusal("hold")
    if not refused:
        return green(_CHECK, f"a process may read a sibling's memory ({yama})")
    if not _sibling_refusal("hold-open"):
        return green(_CHECK, f"a process may read a sibling's memory if that allows it ({yama})")
    return _refused(vendor, f"a process may not read a sibling's memory: {refused} ({yama})", scope)


def of_this_process(vendor: str | None, root: Path = Path("/"), where: str | None = None) -> Result:
    """Looks without starting a process: at the filter of system calls and at Yama's setting."""
    refused = _own_refusal()
    if refused:
        return _filtered(vendor, refused, where)
    scope = _ptrace_scope(root)
    if scope is not None and (scope > 2 or (scope == 2 and os.geteuid() != 0)):
        return _refused(vendor, f"ptrace_scope {scope} forbids to read a sibling's memory", scope)
    return green(_CHECK, "nothing forbids to read a sibling's memory")


def _filtered(vendor: str | None, refused: str, where: str | None) -> Result:
    pod = "securityContext: {capabilities: {add: [SYS_PTRACE]}}"
    mend = off = _switch_off(vendor)
    if where is not None:
        mend = f"{remedy('--cap-add=SYS_PTRACE', pod, off, where)}   # or: {off}"
    return _judged(vendor, f"a filter of system calls forbids process_vm_readv: {refused}", mend)


def _refused(vendor: str | None, text: str, scope: int | None) -> Result:
    if not scope:
        return _judged(vendor, text, _switch_off(vendor))
    mend = "sudo sysctl kernel.yama.ptrace_scope=0"
    if scope == 3:  # which cannot be lowered while the machine runs
        mend = "echo kernel.yama.ptrace_scope=0 | sudo tee /etc/sysctl.d/99-ptrace.conf; reboot"
    # Yama's setting every MPI reads, and does without.
    return yellow(_CHECK, f"{text}; {_COPIED_TWICE}", mend)


def _judged(
    vendor: str | None, text: str, mend: str, environment: Mapping[str, str] = os.environ
) -> Result:
    """Open MPI notices and copies twice; MPICH must be told, or fails; Intel MPI copies anyway."""
    name, off = _MPICH_OFF
    if vendor == "impi":
        return green(_CHECK, f"{text}; Intel MPI does without")
    if vendor == "mpich" and environment.get(name) != off:
        return red(_CHECK, f"{text}; MPICH fails at the first large message", mend)
    return yellow(_CHECK, f"{text}; {_COPIED_TWICE}", mend)


def _switch_off(vendor: str | None) -> str:
    return f"export {'='.join(_MPICH_OFF) if vendor == 'mpich' else _OPENMPI_OFF}"


def _own_refusal() -> str:
    try:
        peer_memory.read_own()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _sibling_refusal(action: str) -> str:
    """Why one child may not read the memory of another; empty if it may."""
    script = [sys.executable, "-I", peer_memory.__file__]
    holder = subprocess.Popen(
        [*script, action], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:  # closing its input lets it end
        assert holder.stdout is not None
        address = holder.stdout.readline().split()
        try:
            reader = run_child([*script, "read", *address], _ANSWER_WITHIN)
        except subprocess.TimeoutExpired:
            return f"no answer within {_ANSWER_WITHIN:g} s"
    if reader.stdout.strip() == peer_memory.CONTENT.decode():
        return ""
    return reader.stderr.strip().rpartition("\n")[2] or "other memory came"


def _ptrace_scope(root: Path) -> int | None:
    try:
        return int((root / "proc/sys/kernel/yama/ptrace_scope").read_text())
    except (OSError, ValueError):
        return None
