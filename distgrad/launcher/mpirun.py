"""Finds the mpirun that belongs to the MPI library that mpi4py loads.

An mpirun of another MPI starts N processes that each take themselves for rank 0 of 1, without a
word. So every candidate is asked for its version, and only one of the same MPI is used.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from distgrad.launcher.errors import LaunchError
from distgrad.launcher.mpi_runtime import Mpi, MpiLibrary, run_child

_PROGRAMS = {
    "openmpi": ("mpirun", "mpirun.openmpi", "mpiexec"),
    "mpich": ("mpirun", "mpiexec.hydra", "mpirun.mpich", "mpiexec"),
}

_ANSWER_WITHIN = 30.0


@dataclass(frozen=True)
class Mpirun:
    """An mpirun and the MPI that it belongs to."""

    path: Path
    mpi: Mpi

    def __str__(self) -> str:
        return f"{self.mpi.name} ({self.path})"


def find_mpirun(library: MpiLibrary) -> Mpirun:
    """Finds the mpirun of `library`: beside this Python, beside the library, or on PATH.

    Raises:
        LaunchError: if there is none, or only those of another MPI or release.
    """
    vendor = library.mpi.vendor
    assert vendor is not None, "loaded_library() refuses an MPI without a dialect"
    others = []
    for path in _candidates(vendor, library.path):
        mpirun = Mpirun(path, _ask_version(path))
        if _belongs(mpirun.mpi, library.mpi):
            return mpirun
        others.append(mpirun)
    extra = f"pip install 'distgrad[{vendor}]'"
    if others:
        raise LaunchError(
            f"mpi4py loads {library}, but the mpirun found is of {others[0]}: "
            "its ranks would not find each other. "
            f"Put the folder of {library.mpi.name}'s mpirun on PATH, or install both: {extra}"
        )
    raise LaunchError(
        f"mpi4py loads {library}, but its mpirun is not beside it, not in "
        f"{Path(sys.prefix, 'bin')} and not on PATH. "
        f"Put its folder on PATH, or install both: {extra}"
    )


def identify_mpirun(text: str) -> Mpi:
    r"""Reads what ``mpirun --version`` prints.

    Example:
        >>> identify_mpirun("mpirun (Open MPI) 5.0.11").name
        'Open MPI 5.0.11'
        >>> identify_mpirun("HYDRA build details:\n    Version:           4.2.1").name
        'MPICH 4.2.1'
    """
    patterns = {
        "openmpi": r"\(Open MPI\) (\d+(?:\.\d+)*)",
        "mpich": r"^HYDRA build details:\s*Version:\s*(\d+(?:\.\d+)*)",
    }
    return Mpi.identify(text, patterns)


def _belongs(mpirun: Mpi, library: Mpi) -> bool:
    """Whether the two can work together.

    Open MPI's wire-up is tied to the release series, such as 5.0; Hydra's is the same PMI
    protocol in every MPICH.
    """
    if mpirun.vendor != library.vendor:
        return False
    return library.vendor == "mpich" or mpirun.version[:2] == library.version[:2]


def _candidates(vendor: str, library: Path | None) -> Iterator[Path]:
    seen = set()
    for folder in _folders(library):
        for program in _PROGRAMS[vendor]:
            path = folder / program
            if os.access(path, os.X_OK) and path.is_file() and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _folders(library: Path | None) -> Iterator[Path]:
    yield Path(sys.prefix, "bin")
    for parent in library.parents if library else ():
        if parent.name in ("lib", "lib64"):
            yield parent.parent / "bin"
    yield from (Path(entry) for entry in os.get_exec_path() if os.path.isabs(entry))


def _ask_version(path: Path) -> Mpi:
    try:
        child = run_child([str(path), "--version"], _ANSWER_WITHIN)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Mpi(None, (), f"an MPI that does not answer to --version: {error}")
    return identify_mpirun(child.stdout + child.stderr)
