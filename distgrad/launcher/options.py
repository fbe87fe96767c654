"""What a user asks of a launch."""

from dataclasses import dataclass
from pathlib import Path

from distgrad.launcher.errors import LaunchError
from distgrad.launcher.mpi_runtime import VENDOR_NAMES


@dataclass(frozen=True)
class LaunchOptions:
    """How many ranks, where, and under which MPI.

    Args:
        ranks: the number of ranks, at least 1.
        mpi: ``"openmpi"``, ``"mpich"`` or ``"impi"`` (Intel MPI): the MPI to run under. Default:
            the one that mpi4py loads by itself.
        hostfile: the hosts to run on, in the format of that MPI (``HOST slots=N`` lines for Open
            MPI, ``HOST:N`` for MPICH). Default: this machine, or the allocation of the resource
            manager that the launch runs under.
        folder: where the run writes: a launch on this machine looks first whether it can. Default:
            nobody looks.
        stop_within: seconds that the ranks have, after a request to stop, to finish their step,
            write a checkpoint and leave. Default: 300.

    Raises:
        LaunchError: if ``ranks`` is below 1, ``mpi`` is unknown, ``hostfile`` is not a file or
            ``stop_within`` is not positive.

    Example:
        >>> LaunchOptions(ranks=4)
        LaunchOptions(ranks=4, mpi=None, hostfile=None, folder=None, stop_within=300.0)
        >>> LaunchOptions(ranks=0)
        Traceback (most recent call last):
        ...
        distgrad.launcher.errors.LaunchError: the number of ranks must be at least 1; got -n 0
    """

    ranks: int
    mpi: str | None = None
    hostfile: Path | None = None
    folder: Path | None = None
    stop_within: float = 300.0

    def __post_init__(self) -> None:
        if self.ranks < 1:
            raise LaunchError(f"the number of ranks must be at least 1; got -n {self.ranks}")
        if self.mpi is not None and self.mpi not in VENDOR_NAMES:
            *others, last = VENDOR_NAMES
            known = f"{', '.join(others)} or {last}"
            raise LaunchError(f"--mpi must be {known}; got {self.mpi!r}")
        if self.hostfile is not None and not self.hostfile.is_file():
            raise LaunchError(f"--hostfile {self.hostfile}: there is no such file")
        if not self.stop_within > 0:
            raise LaunchError(f"stop_within must be positive; got {self.stop_within}")
