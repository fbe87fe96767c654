import pytest
import threadpoolctl

from distgrad.backend.threads import blas_libraries, pin_blas_threads


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
