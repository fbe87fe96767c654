"""These tests need a GPU; without one they are skipped."""

from collections.abc import Iterator

import pytest

from distgrad.backend.devices import device_count, use_device


@pytest.fixture(autouse=True)
def _gpu() -> Iterator[None]:
    if not device_count():
        pytest.skip("no GPU here, or no CuPy")
    with use_device("cuda:0"):
        yield
