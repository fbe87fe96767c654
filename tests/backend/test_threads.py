from pathlib import Path

import numpy as np
import pytest
import threadpoolctl

from distgrad.backend.threads import blas_libraries, numpy_blas, pin_blas_threads


def test_pins_what_is_loaded():
    pin_blas_threads()
    assert set(blas_libraries().values()) <= {1}


def test_refuses_a_blas_that_keeps_its_threads(monkeypatch):
    stubborn = {"user_api": "blas", "internal_api": "blis", "version": "1.0", "num_threads": 8}
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: [stubborn])
    with pytest.raises(RuntimeError, match=r"blis 1\.0 uses 8 threads .*OPENBLAS_NUM_THREADS=1"):
        pin_blas_threads()


def test_two_copies_of_one_blas_are_both_looked_at(monkeypatch):
    copies = [
        {"user_api": "blas", "internal_api": "openblas", "version": "0.3", "num_threads": threads}
        for threads in (4, 1)
    ]
    other = {"user_api": "openmp", "internal_api": "openmp", "version": None, "num_threads": 9}
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: [*copies, other])
    assert blas_libraries() == {"openblas 0.3": 4}


def loaded_from(*places):
    return [
        {
            "user_api": "blas",
            "internal_api": "openblas",
            "version": f"0.{number}",
            "num_threads": 1,
            "filepath": str(place / "libopenblas.so"),
        }
        for number, place in enumerate(places)
    ]


def test_what_other_packages_have_loaded_is_not_numpys(monkeypatch):
    packages = Path(np.__file__).parents[1]
    libraries = loaded_from(packages / "scipy.libs", packages / "numpy.libs")
    for found in (libraries, libraries[::-1]):
        monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda found=found: found)
        assert numpy_blas() == "openblas 0.1"


def test_where_numpy_has_brought_none_all_are_named(monkeypatch):
    libraries = loaded_from(Path("/usr/lib"), Path("/opt"))
    for found in (libraries, libraries[::-1]):
        monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda found=found: found)
        assert numpy_blas() == "openblas 0.0, openblas 0.1"
