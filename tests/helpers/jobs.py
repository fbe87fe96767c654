"""What launches of the tests run, and what can be seen of their processes."""

import subprocess
from pathlib import Path

# Ranks that take steps until one of them is asked to stop, as a training does. With an argument
# they do not hear of it (they are only just starting, or deaf), or one hangs, or all are slow, or
# fail on their way out.
STEPS = """
import os, signal, sys, time
asked = False
def ask(*_):
    global asked
    asked = True
manner = sys.argv[1] if len(sys.argv) > 1 else ""
if manner == "starting":
    rank = os.environ.get("OMPI_COMM_WORLD_RANK") or os.environ["PMI_RANK"]
    print(f"ready {rank} {os.getpid()}")
    time.sleep(60)
signal.signal(signal.SIGUSR1, signal.SIG_IGN if manner == "deaf" else ask)
from mpi4py import MPI
if manner == "deaf":
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # MPICH has taken it over
comm = MPI.COMM_WORLD
comm.Barrier()
print(f"ready {comm.rank} {os.getpid()}")
if manner == "hanging" and comm.rank == 1:
    os.kill(os.getpid(), signal.SIGSTOP)
step = 0
while not comm.allreduce(asked, MPI.LOR):
    step += 1
    time.sleep(0.01)
    if manner == "briefly" and step == 100:
        sys.exit()
if manner == "slow":
    time.sleep(1)
comm.Barrier()
print(f"stopped after step {step}")
sys.exit(3 if manner == "failing" else 130)
"""


def rank_processes(launcher, ranks):
    """The process numbers of the ranks, in their order, once all of them are ready."""
    words = [launcher.stdout.readline().split() for _ in range(ranks)]
    by_rank = {int(word[3]): int(word[4]) for word in words}
    assert set(by_rank) == set(range(ranks))
    return [by_rank[rank] for rank in range(ranks)]


def mpirun_of(launcher, process):
    """The child of a launcher that a rank descends from."""
    while (parent := int(_status(process)[1])) != launcher.pid:
        process = parent
    return process


def gone(process):
    """Whether a process has ended; one whose end its parent has not noticed yet has."""
    try:
        return _status(process)[0] == "Z"
    except OSError:
        return True


def end(launcher: subprocess.Popen[bytes]) -> tuple[int, list[str], list[str]]:
    """Waits for a launcher; its exit status and the lines of its output and of its errors."""
    out, err = launcher.communicate(timeout=60)
    return launcher.returncode, out.decode().splitlines(), err.decode().splitlines()


def _status(process):
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
