"""Which kernels compute on the CPU, and what is said where they cannot."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distgrad.backend.kernels import choice, kernels_in_use, use_kernels
from distgrad.backend.kernels.choice import wanted_kernels
from distgrad.errors import UsageError
from distgrad.nn.utils.clip_grad import power_sum

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="needs numba")


@pytest.fixture(autouse=True)
def numpys_kernels() -> Iterator[None]:
    yield
    use_kernels("numpy")


def found(monkeypatch: Any, *modules: str) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: name in modules or None)


def test_automatically_numbas_where_it_is_installed(monkeypatch: Any) -> None:
    monkeypatch.delenv("DISTGRAD_KERNELS", raising=False)
    found(monkeypatch, "numba")
    assert wanted_kernels("auto") == "numba"
    found(monkeypatch)
    assert wanted_kernels("auto") == "numpy"


def test_the_environment_decides_where_nothing_is_chosen(monkeypatch: Any) -> None:
    found(monkeypatch, "numba")
    monkeypatch.setenv("DISTGRAD_KERNELS", "numpy")
    assert wanted_kernels("auto") == "numpy"
    assert wanted_kernels("numba") == "numba"


def test_refuses_an_unknown_choice(monkeypatch: Any) -> None:
    with pytest.raises(
        UsageError,
        match=r"^the choice of kernels must be one of 'auto', 'numpy', 'numba', got 'jax'$",
    ):
        use_kernels("jax")
    monkeypatch.setenv("DISTGRAD_KERNELS", "fast")
    with pytest.raises(UsageError, match=r"^DISTGRAD_KERNELS must be one of .* got 'fast'$"):
        use_kernels()


def test_numba_that_is_not_installed(monkeypatch: Any) -> None:
    found(monkeypatch)
    monkeypatch.setenv("DISTGRAD_KERNELS", "numba")
    with pytest.raises(
        UsageError,
        match=r"^DISTGRAD_KERNELS is 'numba', which is not installed here: install it with "
        r"`pip install 'distgrad\[fast\]'`, or choose 'numpy'$",
    ):
        use_kernels()
    with pytest.raises(UsageError, match=r"^the choice of kernels is 'numba', which is not"):
        use_kernels("numba")


@needs_numba
def test_one_choice_takes_the_place_of_another() -> None:
    import llvmlite
    import numba

    assert use_kernels("numba") == kernels_in_use()
    assert kernels_in_use() == f"numba {numba.__version__}, llvmlite {llvmlite.__version__}"
    # The reference needs the second array, and the compiled kernel does not.
    assert power_sum(np, np.ones(3, np.float32), None, norm_type=2.0) == 3.0
    assert use_kernels("numpy") == kernels_in_use() == "numpy"
    with pytest.raises(TypeError):
        power_sum(np, np.ones(3, np.float32), None, norm_type=2.0)


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


CONNECT = """
import sys
import distgrad as dg
from distgrad.backend.kernels import kernels_in_use
before = "numba" in sys.modules
dg.distributed.connect({})
print(before, "numba" in sys.modules, kernels_in_use().split()[0])
"""


def test_where_numpys_are_chosen_numba_is_not_loaded() -> None:
    result = python(CONNECT.format("kernels='numpy'"), DISTGRAD_KERNELS="numba")
    assert (result.stdout, result.stderr) == ("False False numpy\n", "")


@needs_numba
def test_connecting_makes_the_choice() -> None:
    use_kernels("numba")  # compiled now, if it never was
    result = python(CONNECT.format(""), DISTGRAD_KERNELS="auto")
    assert (result.stdout, result.stderr) == ("False True numba\n", "")


# Where the compiled kernels are kept


@pytest.fixture
def cache_folder(monkeypatch: Any) -> Iterator[Any]:
    pytest.importorskip("numba")
    from distgrad.backend.kernels.compiled.cache import cache_folder

    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    cache_folder.cache_clear()
    yield cache_folder
    cache_folder.cache_clear()


def test_they_are_kept_in_the_users_caches(
    cache_folder: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache_folder()
    assert folder.parent == tmp_path / "distgrad"
    assert folder.name.startswith("kernels-")
    assert folder.is_dir()


def test_numbas_own_setting_comes_first(
    cache_folder: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no"))
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path / "numba"))
    assert cache_folder().parent == tmp_path / "numba" / "distgrad"


def test_where_nothing_can_be_written_nothing_is_kept(
    cache_folder: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache_folder() is None


def test_a_user_without_a_home(cache_folder: Any, monkeypatch: Any) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", home)
    assert cache_folder() is None


def test_another_version_of_the_code_has_another_folder(
    cache_folder: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    from distgrad.backend.kernels.compiled import cache

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = cache_folder()
    cache_folder.cache_clear()
    monkeypatch.setattr(cache, "compiler", lambda: "numba 99")
    assert cache_folder() != first


@needs_numba
def test_says_that_it_compiles_and_where_that_is_kept(monkeypatch: Any, capsys: Any) -> None:
    from distgrad.backend.kernels import compiled

    use_kernels("numba")
    capsys.readouterr()
    monkeypatch.setattr(compiled, "is_complete", lambda: False)
    use_kernels("numba")
    told = f"distgrad: compiling kernels, once, to be kept in {compiled.cache_folder()}\n"
    assert capsys.readouterr().err == told


@needs_numba
def test_says_that_nothing_can_be_kept(monkeypatch: Any, capsys: Any) -> None:
    from distgrad.backend.kernels import compiled

    monkeypatch.setattr(compiled, "cache_folder", lambda: None)
    use_kernels("numba")
    assert capsys.readouterr().err == (
        "distgrad: kernels are compiled as they are needed, in each process anew, because no "
        "folder can be written to; set NUMBA_CACHE_DIR to one\n"
    )
