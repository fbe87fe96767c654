import sys
from pathlib import Path

import pytest

from distgrad.launcher import LaunchError
from distgrad.launcher.mpi_runtime import Mpi, MpiLibrary, identify_library, loaded_library
from distgrad.launcher.mpirun import find_mpirun, identify_mpirun

OPEN_MPI = "echo 'mpirun (Open MPI) 5.0.11'"
OLD_OPEN_MPI = "echo 'mpirun (Open MPI) 4.1.4'"
MPICH = "printf 'HYDRA build details:\\n    Version:    4.2.1\\n'"

OPEN_MPI_LIBRARY = identify_library("Open MPI v5.0.7, package")
MPICH_LIBRARY = identify_library("MPICH Version:  5.0.2")


@pytest.fixture
def bare_python(tmp_path, monkeypatch):
    """This Python as if no MPI had been installed beside it, and with an empty PATH."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def test_the_mpirun_of_the_loaded_library_is_found():
    library = loaded_library()
    mpirun = find_mpirun(library)
    assert mpirun.path.is_file()
    assert mpirun.mpi.vendor == library.mpi.vendor


@pytest.mark.parametrize("place", ["venv/bin", "mpi/bin", "path"])
def test_it_is_looked_for_beside_python_beside_the_library_and_on_path(place, bare_python, program):
    expected = program(f"{place}/mpirun", OPEN_MPI)
    library = MpiLibrary(OPEN_MPI_LIBRARY, bare_python / "mpi/lib/libmpi.so.40")
    assert find_mpirun(library).path == expected


def test_debian_keeps_it_above_the_library_under_a_name_of_its_own(bare_python, program):
    program("usr/bin/mpirun", MPICH)
    expected = program("usr/bin/mpirun.openmpi", OPEN_MPI)
    path = bare_python / "usr/lib/x86_64-linux-gnu/openmpi/lib/libmpi.so.40.30.4"
    assert find_mpirun(MpiLibrary(OPEN_MPI_LIBRARY, path)).path == expected


def test_where_the_library_is_unknown_path_is_asked(bare_python, program):
    expected = program("path/mpiexec.hydra", MPICH)
    assert find_mpirun(MpiLibrary(MPICH_LIBRARY, None)).path == expected


def test_one_of_another_mpi_is_passed_over(bare_python, program):
    program("venv/bin/mpirun", MPICH)
    expected = program("path/mpirun", OPEN_MPI)
    assert find_mpirun(MpiLibrary(OPEN_MPI_LIBRARY, None)).path == expected


def test_a_wheel_of_another_mpi_has_taken_the_names_of_open_mpis(bare_python, program):
    for name in ("mpirun", "mpiexec", "mpiexec.hydra"):
        program(f"venv/bin/{name}", MPICH)
    version = "mpirun (Open MPI) 5.0.11"
    expected = program("venv/bin/ompirun_wrapper", f'[ -d "$OPAL_PREFIX/bin" ] && echo "{version}"')
    mpirun = find_mpirun(MpiLibrary(OPEN_MPI_LIBRARY, None, {"MPI4PY_LIBMPI": "/v/libmpi.so.40"}))
    assert mpirun.path == expected
    assert mpirun.environment == {
        "MPI4PY_LIBMPI": "/v/libmpi.so.40",
        "OPAL_PREFIX": str(bare_python / "venv"),
    }
    assert find_mpirun(MpiLibrary(MPICH_LIBRARY, None)).path.name == "mpirun"


def test_a_wheel_of_another_mpi_has_taken_the_names_of_mpichs(bare_python, program):
    for name in ("mpirun", "mpiexec", "ompirun_wrapper"):
        program(f"venv/bin/{name}", OPEN_MPI)
    expected = program("venv/bin/mpiexec.hydra", MPICH)
    assert find_mpirun(MpiLibrary(MPICH_LIBRARY, None)).path == expected
    assert find_mpirun(MpiLibrary(OPEN_MPI_LIBRARY, None)).environment == {}


def test_intel_mpi_is_driven_by_its_own_hydra(bare_python, program):
    program("venv/bin/mpirun", "mpiexec.hydra")
    version = "Intel(R) MPI Library for Linux* OS, Version 2021.18.1 Build 20260626"
    expected = program("venv/bin/mpiexec.hydra", f"echo '{version} (id: b44796a)'")
    library = identify_library("Intel(R) MPI Library 2021.18.1 for Linux* OS")
    assert find_mpirun(MpiLibrary(library, None)).path == expected


@pytest.mark.parametrize(
    ("library", "script", "found"),
    [
        (OPEN_MPI_LIBRARY, MPICH, "MPICH 4.2.1"),
        (OPEN_MPI_LIBRARY, OLD_OPEN_MPI, "Open MPI 4.1.4"),
        (MPICH_LIBRARY, OPEN_MPI, "Open MPI 5.0.11"),
        (MPICH_LIBRARY, "echo 'Another MPI, 1.0'", "Another MPI, 1.0"),
        (MPICH_LIBRARY, "exit 1", "an MPI that does not give its name"),
    ],
)
def test_only_another_mpi_names_both_and_the_way_out(library, script, found, bare_python, program):
    path = program("path/mpirun", script)
    with pytest.raises(LaunchError) as caught:
        find_mpirun(MpiLibrary(library, None))
    assert str(caught.value) == (
        f"mpi4py loads {library.name}, but the mpirun found is of {found} ({path}): its ranks "
        f"would not find each other. Put the folder of {library.name}'s mpirun on PATH, "
        f"or install both: pip install 'distgrad[{library.vendor}]'"
    )


def test_no_mpirun_at_all_names_the_places_and_the_extra(bare_python):
    library = MpiLibrary(OPEN_MPI_LIBRARY, Path("/opt/mpi/lib/libmpi.so.40"))
    expected = r"its mpirun is not beside it, not in .*venv/bin and not on PATH.*distgrad.openmpi"
    with pytest.raises(LaunchError, match=expected):
        find_mpirun(library)


def test_a_file_that_cannot_run_is_named(bare_python, program):
    path = program("path/mpirun", "")
    path.write_bytes(b"\x7fELF broken")
    with pytest.raises(LaunchError, match=r"does not answer to --version: .*Exec format error"):
        find_mpirun(MpiLibrary(OPEN_MPI_LIBRARY, None))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "mpirun (Open MPI) 5.0.11\n\nReport bugs to\n",
            Mpi("openmpi", (5, 0, 11), "Open MPI 5.0.11"),
        ),
        ("mpirun (Open MPI) 4.1.0rc2", Mpi("openmpi", (4, 1, 0), "Open MPI 4.1.0")),
        (
            "HYDRA build details:\n    Version:                                 5.0.2\n    CC: cc",
            Mpi("mpich", (5, 0, 2), "MPICH 5.0.2"),
        ),
        (
            "Intel(R) MPI Library for Linux* OS, Version 2021.19 Build 20260301",
            Mpi("impi", (2021, 19), "Intel MPI 2021.19"),
        ),
    ],
)
def test_mpiruns_are_told_apart(text, expected):
    assert identify_mpirun(text) == expected
