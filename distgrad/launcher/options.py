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
        mpi: ``"openmpi"`` or ``"mpich"``: refuse to start under any other MPI than this. Default:
            the one that mpi4py loads.
        hostfile: the hosts to run on, in the format of that MPI (``HOST slots=N`` lines for Open
            MPI, ``HOST:N`` for MPICH). Default: this machine, or the allocation of the resource
            manager that the launch runs under.

    Raises:
        LaunchError: if ``ranks`` is below 1, ``mpi`` is unknown or ``hostfile`` is not a file.

    Example:
        >>> LaunchOptions(ranks=4)
        LaunchOptions(ranks=4, mpi=None, hostfile=None)
        >>> LaunchOptions(ranks=0)
        Traceback (most recent call last):
        ...
        distgrad.launcher.errors.LaunchError: the number of ranks must be at least 1; got -n 0
    """

    ranks: int
    mpi: str | None = None
    hostfile: Path | None = None

    def __post_init__(self) -> None:
        if self.ranks < 1:
            raise LaunchError(f"the number of ranks must be at least 1; got -n {self.ranks}")
        if self.mpi is not None and self.mpi not in VENDOR_NAMES:
            known = " or ".join(VENDOR_NAMES)
            raise LaunchError(f"--mpi must be {known}; got {self.mpi!r}")
        if self.hostfile is not None and not self.hostfile.is_file():
            raise LaunchError(f"--hostfile {self.hostfile}: there is no such file")
