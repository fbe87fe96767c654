"""Checkpoints whose content follows from their step, so that any one can be recognised."""

import numpy as np

from distgrad.backend import little_endian_bytes
from distgrad.training.checkpoint import Checkpoint


def checkpoint_of(step: int, version: int = 0, *, rows: int = 20) -> Checkpoint:
    """Another content for each step, and for each version of a step."""
    rng = np.random.default_rng([step, version])
    weight = rng.standard_normal((rows, 3)).astype(np.float32)
    model = {"weight": weight, "calls": np.array(step)}
    optimizer = {"exp_avg": weight * 2, "exp_avg_sq": np.asfortranarray(weight**2)}
    state = {"version": version, "loss": float(weight.sum()), "nested": {"list": [1, None, "ä"]}}
    return Checkpoint(step, {"model": model, "optimizer": optimizer}, state)


def assert_same(found: Checkpoint | None, expected: Checkpoint) -> None:
    """Compare every name, type, shape and bit."""
    assert found is not None
    assert found.step == expected.step
    assert found.state == expected.state
    assert found.arrays.keys() == expected.arrays.keys()
    for group, arrays in expected.arrays.items():
        assert found.arrays[group].keys() == arrays.keys()
        for name, array in arrays.items():
            other = found.arrays[group][name]
            assert (other.dtype.name, other.shape) == (array.dtype.name, array.shape)
            assert little_endian_bytes(other) == little_endian_bytes(array)
