from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from distgrad.backend.kernels import use_kernels


@pytest.fixture(
    scope="module",
    params=[
        "numpy",
        pytest.param(
            "numba", marks=pytest.mark.skipif(find_spec("numba") is None, reason="needs numba")
        ),
    ],
)
def kernels(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each column of kernels in turn, for all tests of a module."""
    use_kernels(request.param)
    yield
    use_kernels("numpy")
