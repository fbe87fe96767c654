"""Captured micro-batches on a GPU: the bits of eager ones."""

import logging

import pytest
from helpers.graph_models import MODELS

import distgrad as dg
from distgrad.backend import to_host

models = pytest.importorskip("benchmarks.gpu.models")


def built(name: str) -> tuple:
    if name == "benchmark":
        return models.mlp()
    dg.manual_seed(0)
    model, inputs, targets = MODELS[name]()
    return model.to("cuda:0"), dg.tensor(inputs).to("cuda:0"), dg.tensor(targets).to("cuda:0")


def trained(name: str, precision: str, *, capture: bool) -> list:
    given = {"capture": capture, "precision": precision}
    model, step = models.accumulated_step(*built(name), **given)
    for _ in range(6):
        step()
    return [to_host(p.data).tolist() for p in model.parameters()]


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("name", ["benchmark", *MODELS])
def test_a_captured_run_has_the_bits_of_an_eager_one(
    name: str, precision: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        captured = trained(name, precision, capture=True)
    assert captured == trained(name, precision, capture=False)
    assert not caplog.records, "it was not captured"
