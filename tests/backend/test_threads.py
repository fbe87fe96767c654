"""Pinning the BLAS libraries to one thread; in processes of their own, since it is for good."""

import os
import subprocess
import sys

import pytest

from distgrad.backend.threads import pin_blas_threads


def python(code: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, **environment},
    )
    return result.stdout


def test_pins_every_library() -> None:
    code = (
        "from distgrad.backend.threads import blas_libraries, pin_blas_threads\n"
        "import numpy\n"
        "pin_blas_threads()\n"
        "print(sorted(set(blas_libraries().values())))"
    )
    assert python(code, OPENBLAS_NUM_THREADS="2").strip() in ("[1]", "[]")


def test_libraries_are_named_with_their_build() -> None:
    code = (
        "import numpy\n"
        "from distgrad.backend.threads import blas_libraries\n"
        "print(*blas_libraries(), sep='\\n')"
    )
    for name in python(code).splitlines():
        assert len(name.split()) >= 2  # the library and its version at least


def test_a_library_that_keeps_its_threads_is_named(monkeypatch) -> None:
    monkeypatch.setattr("threadpoolctl.threadpool_limits", lambda *args, **kwargs: None)
    monkeypatch.setattr(
        "threadpoolctl.threadpool_info",
        lambda: [
            {
                "user_api": "blas",
                "internal_api": "openblas",
                "version": "0.3",
                "architecture": "Zen",
                "num_threads": 4,
            },
            {"user_api": "openmp", "internal_api": "openmp", "num_threads": 8},
        ],
    )
    message = r"openblas 0.3 Zen uses 4 threads and cannot be set to 1; set OPENBLAS_NUM_THREADS=1"
    with pytest.raises(RuntimeError, match=message):
        pin_blas_threads()
