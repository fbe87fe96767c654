"""Where MPI libraries and the programs that start their ranks are installed."""

import os
import site
import sys
from collections.abc import Iterator
from pathlib import Path

# The numbers are those of the binary interfaces, which MPICH and Intel MPI share.
_LIBRARIES = {
    "openmpi": ("libmpi.so.40", "libmpi.40.dylib"),
    "mpich": ("libmpi.so.12", "libmpi.12.dylib"),
    "impi": ("libmpi.so.12",),
}

_PROGRAMS = {
    # Two MPI wheels in one environment fight for the names mpirun and mpiexec; each has one that is
    # its own. The last one is what the mpirun of Open MPI's wheel runs, see `mpirun._prefix`.
    "openmpi": ("mpirun", "mpirun.openmpi", "mpiexec", "ompirun_wrapper"),
    "mpich": ("mpirun", "mpiexec.hydra", "mpirun.mpich", "mpiexec"),
    # Its mpirun is a shell script that runs the mpiexec.hydra on PATH, whosoever that is.
    "impi": ("mpiexec.hydra",),
}


def library_candidates(mpi: str) -> Iterator[str]:
    """Yields what may be the library of an MPI: paths of files, and names for the linker to find.

    Args:
        mpi: ``"openmpi"``, ``"mpich"`` or ``"impi"``.
    """
    folders = [Path(sys.prefix, "lib"), Path(sys.base_prefix, "lib")]
    if site.USER_BASE:
        folders.append(Path(site.USER_BASE, "lib"))
    if mpi == "impi" and "I_MPI_ROOT" in os.environ:
        folders.append(Path(os.environ["I_MPI_ROOT"], "lib"))
    folders += [folder.parent / "lib" for folder in _path()]
    for name in _LIBRARIES[mpi]:
        for folder in dict.fromkeys(folders):
            if (folder / name).is_file():
                yield str(folder / name)
    yield from _LIBRARIES[mpi]


def program_candidates(mpi: str, library: Path | None) -> Iterator[Path]:
    """Yields what may be the mpirun of an MPI.

    Args:
        mpi: ``"openmpi"``, ``"mpich"`` or ``"impi"``.
        library: the file of its library, if that is known.
    """
    seen = set()
    for folder in _program_folders(library):
        for program in _PROGRAMS[mpi]:
            path = folder / program
            if os.access(path, os.X_OK) and path.is_file() and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _program_folders(library: Path | None) -> Iterator[Path]:
    for parent in library.parents if library else ():
        if parent.name in ("lib", "lib64"):
            yield parent.parent / "bin"
    yield Path(sys.prefix, "bin")
    yield from _path()


def _path() -> Iterator[Path]:
    return (Path(entry) for entry in os.get_exec_path() if os.path.isabs(entry))
