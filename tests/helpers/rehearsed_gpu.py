"""A plugin of pytest: the tests that need a GPU run on the double, with small sizes.

PYTHONPATH=tests python -m pytest -p helpers.rehearsed_gpu tests/gpu
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import pytest
from helpers.device_with_kernels import KernelGraphs
from helpers.fake_cublaslt import FakeCublasLt
from helpers.fake_cupy import fake_cupy

from distgrad.backend.kernels.cuda import products

__all__ = ["rehearsed_gpu"]

TINY = {
    "copy": 64,
    "product": 4,
    "parameters": 300_000,
    "widths": (8, 8, 8),
    "batch": 4,
    "gpt": {"context": 8, "vocabulary": 64, "width": 8, "heads": 2, "layers": 1},
    "sequences": 2,
    "micro_batches": 2,
    "most_times": 3,
    "most_steps": 4,
    "with_large": False,
}


@contextmanager
def rehearsed_gpu() -> Iterator[KernelGraphs]:
    """Let CuPy be the double, cublasLt one too, and what `benchmarks.gpu` measures small."""
    from benchmarks.gpu.sizes import SIZES

    library = FakeCublasLt()
    with ExitStack() as stack:
        for name, value in TINY.items():
            stack.enter_context(patch.object(SIZES, name, value))
        stack.enter_context(patch.object(products, "library", lambda: library))
        products._cublas.cache_clear()
        stack.callback(products._cublas.cache_clear)
        yield stack.enter_context(fake_cupy())


def pytest_configure(config: pytest.Config) -> None:
    entered = rehearsed_gpu()
    entered.__enter__()
    config.add_cleanup(lambda: entered.__exit__(None, None, None))
