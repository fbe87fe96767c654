"""What of an environment the bits of a result depend on."""

from distgrad.distributed import SingleProcess
from distgrad.training.environment import bit_relevant, describe_environment


def test_the_blas_is_among_it_and_its_threads_are_not():
    one = bit_relevant({"blas": "openblas 0.3.30 Haswell", "blas_threads": {"a": 1, "b": 1}})
    assert one == bit_relevant({"blas": "openblas 0.3.30 Haswell", "blas_threads": {"b": 1}})
    assert one != bit_relevant({"blas": "openblas 0.3.31 Haswell"})


def test_nothing_is_unknown_of_this_machine():
    assert "unknown" not in bit_relevant(describe_environment(SingleProcess())).values()


def test_the_kernels_are_among_it():
    environment = describe_environment(SingleProcess())
    assert environment["kernels"] == "numpy"
    relevant = bit_relevant(environment)
    assert relevant["kernels"] == "numpy"
    assert relevant != bit_relevant({**environment, "kernels": "numba 0.65.0, llvmlite 0.47.0"})
