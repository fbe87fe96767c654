import re

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn

PAIRS = [(nn.RNNCell, nn.RNN), (nn.LSTMCell, nn.LSTM), (nn.GRUCell, nn.GRU)]


def cell_and_layer(kind, of_layer, **options):
    dg.manual_seed(1)
    cell = kind(3, 4, dtype=np.float64, **options)
    layer = of_layer(3, 4, dtype=np.float64, **options)
    layer.load_state_dict({f"{name}_l0": value for name, value in cell.state_dict().items()})
    return cell, layer


def normal(*shape, seed=0):
    return dg.Tensor(np.random.default_rng(seed).standard_normal(shape))


@pytest.mark.parametrize("options", [{}, {"bias": False}])
@pytest.mark.parametrize(("kind", "of_layer"), PAIRS)
def test_steps_make_a_layer(kind, of_layer, options):
    cell, layer = cell_and_layer(kind, of_layer, **options)
    x = normal(5, 2, 3)
    state = None
    outputs = []
    for part in x:
        state = cell(part, state)
        outputs.append(state[0] if kind is nn.LSTMCell else state)
    expected, _ = layer(x)
    ours = dg.stack(outputs)
    np.testing.assert_allclose(ours.data, expected.data, rtol=1e-12, atol=1e-15)
    (ours**2).sum().backward()
    (expected**2).sum().backward()
    references = dict(layer.named_parameters())
    for name, parameter in cell.named_parameters():
        reference = references[f"{name}_l0"].grad
        np.testing.assert_allclose(parameter.grad.data, reference.data, rtol=1e-11, atol=1e-14)


def test_relu():
    cell, layer = cell_and_layer(nn.RNNCell, nn.RNN, nonlinearity="relu")
    x, h = normal(2, 3), normal(2, 4)
    expected, _ = layer(x.unsqueeze(0), h.unsqueeze(0))
    np.testing.assert_allclose(cell(x, h).data, expected.data[0], rtol=1e-13)


@pytest.mark.parametrize("kind", [kind for kind, _ in PAIRS])
def test_one_sample_without_an_axis_of_samples(kind):
    dg.manual_seed(0)
    cell, x, h, c = kind(3, 4, dtype=np.float64), normal(2, 3), normal(2, 4), normal(2, 4, seed=1)
    states, one = ((h, c), (h[0], c[0])) if kind is nn.LSTMCell else (h, h[0])
    together, alone = cell(x, states), cell(x[0], one)
    if kind is not nn.LSTMCell:
        together, alone = [together], [alone]
    for a, b in zip(together, alone, strict=True):
        assert b.shape == (4,)
        np.testing.assert_allclose(b.data, a.data[0], rtol=1e-13)


@pytest.mark.parametrize("kind", [kind for kind, _ in PAIRS])
def test_gradients_of_two_orders(kind):
    dg.manual_seed(0)
    cell = kind(2, 3, dtype=np.float64)
    states = [normal(2, 3, seed=k).requires_grad_() for k in range(2 if kind is nn.LSTMCell else 1)]
    inputs = [normal(2, 2).requires_grad_(), *states, *cell.parameters()]

    def call(x, *given):
        return cell(x, given[:2] if kind is nn.LSTMCell else given[0])

    assert dg.autograd.gradcheck(call, inputs)
    assert dg.autograd.gradgradcheck(call, inputs)


def test_repr_and_names():
    assert repr(nn.RNNCell(3, 4, nonlinearity="relu")) == "RNNCell(3, 4, nonlinearity=relu)"
    assert repr(nn.GRUCell(3, 4, bias=False)) == "GRUCell(3, 4, bias=False)"
    assert repr(nn.LSTMCell(3, 4)) == "LSTMCell(3, 4)"
    shapes = {name: value.shape for name, value in nn.LSTMCell(3, 4).state_dict().items()}
    assert shapes == {
        "weight_ih": (16, 3),
        "weight_hh": (16, 4),
        "bias_ih": (16,),
        "bias_hh": (16,),
    }
    assert list(nn.GRUCell(3, 4, bias=False).state_dict()) == ["weight_ih", "weight_hh"]


@pytest.mark.parametrize(
    ("x", "states", "error", "message"),
    [
        (normal(2, 2, 3), None, ValueError, "LSTMCell: the input must have shape (N, 3) or (3,)"),
        (normal(2, 4), None, RuntimeError, "must have shape (N, 3) or (3,), got (2, 4)"),
        (
            normal(2, 3),
            (normal(2, 4), normal(3, 4)),
            RuntimeError,
            "LSTMCell: c must have shape (2, 4) for an input of shape (2, 3), got (3, 4)",
        ),
        (
            normal(3),
            (normal(1, 1, 4), normal(4)),
            ValueError,
            "LSTMCell: h must have shape (4,) for an input of shape (3,), got (1, 1, 4)",
        ),
        (normal(2, 3), normal(2, 4), RuntimeError, "LSTMCell: hx must be a pair of states (h, c)"),
    ],
)
def test_inputs_are_refused(x, states, error, message):
    with pytest.raises(error, match=re.escape(message)):
        nn.LSTMCell(3, 4, dtype=np.float64)(x, states)


def test_data_types_are_refused():
    with pytest.raises(RuntimeError, match="must have one data type"):
        nn.GRUCell(3, 4, dtype=np.float64)(dg.zeros(2, 3))
    with pytest.raises(RuntimeError, match="h has data type float64 and the input float32"):
        nn.GRUCell(3, 4)(dg.zeros(2, 3), normal(2, 4))


def test_an_unknown_nonlinearity():
    with pytest.raises(ValueError, match="nonlinearity must be 'tanh' or 'relu', got 'elu'"):
        nn.RNNCell(3, 4, nonlinearity="elu")
