"""What is measured of the engine: each side does the same work."""

import json

import numpy as np
import pytest


def test_the_chains_compute_the_same(load):
    chains = load("chains")
    import distgrad as dg

    start, factor, summand = chains.arrays()
    leaves = [dg.tensor(array, requires_grad=True) for array in (start, factor, summand)]
    h = leaves[0]
    for _ in range(chains.LINKS):
        h = (h * leaves[1] + leaves[2]).tanh()
    gradients = dg.autograd.grad(h.sum(), leaves)
    expected = chains.numpy_gradients()
    for found, wanted in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-6)


def test_the_program(program, tmp_path):
    pytest.importorskip("torch")
    path = tmp_path / "engine.json"
    done = program("engine.py", "--rounds", 1, "--output", path)
    assert done.returncode == 0, done.stderr
    result = json.loads(path.read_text())
    assert set(result["operation_us"]) == {"numpy", "distgrad", "torch"}
    assert all(times[0] > 0 for times in result["import_s"].values())
    assert 10 < result["activation_bytes"]["distgrad"] / 2**20 < 1000
    assert "microseconds per operation" in done.stdout
