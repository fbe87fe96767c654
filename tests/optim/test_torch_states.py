"""States that torch has saved, and states for torch: from a file, so that torch need not be there.

`helpers.torch_states` writes the file, and says what is in it.
"""

import json

import numpy as np
import pytest
from helpers.torch_states import CASES, FILE, SAVED_AFTER, groups_of, plain, problem, steps_of_torch

import distgrad as dg
from distgrad import nn, optim

STORED = json.loads(FILE.read_text(encoding="utf-8"))
every_optimizer = pytest.mark.parametrize("name", CASES)


def parameters_of(values):
    return [nn.Parameter(np.array(value)) for value in values]


def optimizer_of(name, parameters):
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in CASES[name].items()}
    return getattr(optim, name)(groups_of(parameters), **options)


def step(optimizer, parameters, grads):
    for of_step in grads:
        for parameter, gradient in zip(parameters, of_step, strict=True):
            parameter.grad = None if gradient is None else dg.Tensor(np.array(gradient))
        optimizer.step()


def assert_equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-14)


def numbered(state):
    """A state of torch's as it was before JSON made strings of the numbers, and lists of arrays."""
    of_parameters = {
        int(number): {name: np.array(value) for name, value in values.items()}
        for number, values in state["state"].items()
    }
    return {**state, "state": of_parameters}


@every_optimizer
def test_a_state_of_torchs_goes_on_here(name):
    stored = STORED["optimizers"][name]
    parameters = parameters_of(stored["saved"])
    optimizer = optimizer_of(name, parameters)
    optimizer.load_state_dict(numbered(stored["state"]))
    step(optimizer, parameters, STORED["grads"][SAVED_AFTER:])
    assert_equal([p.data for p in parameters], stored["end"])


@every_optimizer
def test_a_state_of_ours_is_the_one_that_torch_saves(name):
    stored = STORED["optimizers"][name]
    parameters = parameters_of(STORED["start"])
    optimizer = optimizer_of(name, parameters)
    step(optimizer, parameters, STORED["grads"][:SAVED_AFTER])
    assert_equal([p.data for p in parameters], stored["saved"])
    ours, theirs = optimizer.state_dict(), numbered(stored["state"])
    assert ours["state"].keys() == theirs["state"].keys()
    for number, values in theirs["state"].items():
        assert ours["state"][number].keys() == values.keys()
        for key, value in values.items():
            assert np.shape(ours["state"][number][key]) == value.shape
            np.testing.assert_allclose(np.asarray(ours["state"][number][key]), value, rtol=1e-12)
    for group, expected in zip(ours["param_groups"], theirs["param_groups"], strict=True):
        assert plain(group) == {option: expected[option] for option in group}


@every_optimizer
def test_the_file_is_what_torch_says(name):
    torch = pytest.importorskip("torch")
    found, stored = steps_of_torch(torch, name), STORED["optimizers"][name]
    assert_equal(found["end"], stored["end"])
    assert found["state"]["state"].keys() == stored["state"]["state"].keys()
    assert (STORED["start"], STORED["grads"]) == problem()
