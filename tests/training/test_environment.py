"""What of an environment the bits of a result depend on."""

from distgrad.training.environment import bit_relevant


def test_the_order_in_which_libraries_were_found_is_not_among_it():
    one = {"openblas 0.3.30 Haswell": 1, "openblas 0.3.31 Haswell": 1}
    other = dict(reversed(one.items()))
    assert list(one) != list(other)
    assert bit_relevant({"blas_threads": one}) == bit_relevant({"blas_threads": other})
    assert bit_relevant({"blas_threads": one}) != bit_relevant({"blas_threads": {}})
