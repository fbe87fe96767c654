"""Weights of PyTorch in distgrad and the other way round, for every layer that both have."""

import inspect

import numpy as np
import pytest
from helpers.interchange import ROWS, STORED, new_state, outputs_of
from safetensors.numpy import load_file

import distgrad as dg
from distgrad import nn

OUTPUTS = load_file(STORED / "outputs.safetensors")

rows = pytest.mark.parametrize("name", ROWS)

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")  # PyTorch's


def check_state(module, expected):
    state = module.state_dict()
    assert list(state) == list(expected)
    for name, value in state.items():
        assert value.dtype == expected[name].dtype
        np.testing.assert_array_equal(value.data, expected[name])


def check_outputs(found, expected):
    for output, other in zip(found, expected, strict=True):
        assert output.dtype == other.dtype
        np.testing.assert_allclose(output, other, rtol=2e-5, atol=2e-6)


@rows
def test_stored_files_of_pytorch(name):
    module = ROWS[name].build(nn)
    assert nn.load_weights(module, STORED / f"{name}.safetensors") == ([], [])
    check_state(module, new_state(module.state_dict()))
    expected = [value for key, value in OUTPUTS.items() if key.rpartition(".")[0] == name]
    check_outputs(outputs_of(module, ROWS[name].inputs, dg.tensor), expected)


@rows
def test_from_pytorch(name, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    ours, theirs = (ROWS[name].build(library) for library in (nn, torch.nn))
    state = {key: value.clone() for key, value in theirs.state_dict().items()}
    save_file(state, tmp_path / "weights.safetensors")
    assert nn.load_weights(ours, tmp_path / "weights.safetensors") == ([], [])
    check_state(ours, {key: value.numpy() for key, value in state.items()})
    inputs = ROWS[name].inputs
    check_outputs(outputs_of(ours, inputs, dg.tensor), outputs_of(theirs, inputs, torch.tensor))


@rows
@pytest.mark.parametrize("once", [False, True])
def test_to_pytorch(name, once, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, load_model

    ours, theirs = (ROWS[name].build(library) for library in (nn, torch.nn))
    path = tmp_path / "weights.safetensors"
    nn.save_weights(ours, path, remove_duplicate=once)
    if once:
        assert tuple(map(list, load_model(theirs, path))) == ([], [])
    else:
        theirs.load_state_dict(load_file(path))
    check_state(ours, {key: value.numpy() for key, value in theirs.state_dict().items()})
    inputs = ROWS[name].inputs
    check_outputs(outputs_of(ours, inputs, dg.tensor), outputs_of(theirs, inputs, torch.tensor))


@pytest.mark.parametrize("name", ["float64", "float16", "bfloat16"])
def test_stored_files_of_other_precisions(name):
    layer = nn.Linear(3, 4)
    nn.load_weights(layer, STORED / f"{name}.safetensors")
    check_state(layer, {key: OUTPUTS[f"{name}.{key}"] for key in ("weight", "bias")})


ONLY_OURS = {"CausalSelfAttention", "LinearReLU"}
"""Layers that PyTorch does not have."""

BASES = {nn.Module, nn.RunningStatistics, nn.RNNBase, nn.RNNCellBase}


def keeps_state(layer):
    """Whether the code of a layer, or of a class below it, makes parameters, buffers or layers."""
    own = [base for base in layer.__mro__ if base.__module__.startswith("distgrad.nn.")]
    texts = [inspect.getsource(base) for base in own if base not in nn.Module.__mro__]
    makes = ("Parameter(", "register_", "Linear(", "add_module(")
    return any(word in text for text in texts for word in makes)


def test_every_layer_with_weights_is_in_the_table():
    layers = {
        name
        for name in nn.__all__
        if inspect.isclass(value := getattr(nn, name))
        and issubclass(value, nn.Module)
        and value not in BASES
        and keeps_state(value)
    }
    assert layers - ONLY_OURS <= {name.split("-")[0] for name in ROWS}
