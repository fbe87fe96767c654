"""Captured micro-batches on a GPU: the bits of eager ones."""

import logging

import pytest

from distgrad.backend import to_host

models = pytest.importorskip("benchmarks.gpu.models")


def trained(capture: bool) -> list:
    model, step = models.accumulated_step(*models.mlp(), capture=capture)
    for _ in range(6):
        step()
    return [to_host(p.data).tolist() for p in model.parameters()]


def test_a_captured_run_has_the_bits_of_an_eager_one(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert trained(True) == trained(False)
    assert not caplog.records, "it was not captured"
