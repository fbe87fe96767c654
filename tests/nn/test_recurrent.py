import re
import warnings

import numpy as np
import pytest
from helpers.recurrent import gru_step, lstm_step, rnn_step, sequence_by_sequence
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad import nn
from distgrad.nn.recurrent_pass import spans_of
from distgrad.nn.utils.rnn import pack_padded_sequence, pack_sequence, unpack_sequence

KINDS = [nn.RNN, nn.LSTM, nn.GRU]


def layer(kind, *sizes, **options):
    dg.manual_seed(0)
    return kind(*(sizes or (3, 4)), dtype=np.float64, **options)


def normal(*shape, seed=0):
    return dg.Tensor(np.random.default_rng(seed).standard_normal(shape))


def arrays(module, suffix="_l0"):
    return {n.removesuffix(suffix): p.data for n, p in module.named_parameters()}


# Values


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_step_by_step(kind, reverse):
    """The last layer alone is compared: its input is what the first one returns."""
    module, x = layer(kind, 3, 4, bidirectional=True), normal(5, 2, 3)
    suffix = "_l0_reverse" if reverse else "_l0"
    w = {n: p.data for n, p in module.named_parameters() if n.endswith(suffix)}
    w = {n.removesuffix(suffix): value for n, value in w.items()}
    gates = x.data.reshape(10, 3) @ w["weight_ih"].T + w["bias_ih"]
    if kind is nn.GRU:
        gates[:, :8] += w["bias_hh"][:8]
        step = gru_step(w["weight_hh"], w["bias_hh"][8:])
    else:
        gates += w["bias_hh"]
        step = lstm_step(w["weight_hh"]) if kind is nn.LSTM else rnn_step(w["weight_hh"], "tanh")
    firsts = [np.zeros((2, 4))] * (2 if kind is nn.LSTM else 1)
    made = sequence_by_sequence(step, gates, firsts, spans_of([2] * 5, reverse))
    output, last = module(x)
    half = output.data[:, :, 4:] if reverse else output.data[:, :, :4]
    np.testing.assert_allclose(half, made[0].reshape(5, 2, 4), rtol=1e-12, atol=1e-15)
    for state, steps in zip(last if kind is nn.LSTM else [last], made, strict=False):
        expected = steps.reshape(5, 2, 4)[0 if reverse else -1]
        np.testing.assert_allclose(state.data[int(reverse)], expected, rtol=1e-12, atol=1e-15)


def chunks(x, count):
    width = x.shape[1] // count
    return [x[:, k * width : (k + 1) * width] for k in range(count)]


def composed(module, x, *states):
    """The layer as a composition of small operations."""
    w = dict(module.named_parameters())
    sums = dg.nn.functional.linear
    h, *rest = states
    outputs = []
    for part in x:
        of_x = sums(part, w["weight_ih_l0"], w["bias_ih_l0"])
        of_h = sums(h, w["weight_hh_l0"], w["bias_hh_l0"])
        if isinstance(module, nn.GRU):
            (x_r, x_u, x_n), (h_r, h_u, h_n) = chunks(of_x, 3), chunks(of_h, 3)
            u = (x_u + h_u).sigmoid()
            h = (1 - u) * ((x_n + (x_r + h_r).sigmoid() * h_n).tanh()) + u * h
        elif isinstance(module, nn.LSTM):
            i, f, g, o = chunks(of_x + of_h, 4)
            rest = [f.sigmoid() * rest[0] + i.sigmoid() * g.tanh()]
            h = o.sigmoid() * rest[0].tanh()
            if module.proj_size:
                h = h @ w["weight_hr_l0"].T
        else:
            h = (of_x + of_h).tanh() if module.nonlinearity == "tanh" else dg.relu(of_x + of_h)
        outputs.append(h)
    return dg.stack(outputs), *(state for state in (h, *rest))


CASES = [
    (nn.RNN, {}),
    (nn.RNN, {"nonlinearity": "relu"}),
    (nn.LSTM, {}),
    (nn.LSTM, {"proj_size": 2}),
    (nn.GRU, {}),
]


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_gradients_of_every_order_are_those_of_the_composition(kind, options):
    module = layer(kind, 3, 4, **options)
    widths = [options.get("proj_size", 4), 4][: 2 if kind is nn.LSTM else 1]
    inputs = [normal(3, 2, 3, seed=1), *(normal(2, width, seed=2) for width in widths)]
    leaves = [*inputs, *module.parameters()]
    for x in inputs:
        x.requires_grad_()

    def fused(x, *states):
        firsts = [state.unsqueeze(0) for state in states]
        output, last = module(x, tuple(firsts) if kind is nn.LSTM else firsts[0])
        return output, *(state[0] for state in (last if kind is nn.LSTM else [last]))

    def orders(function):
        """The values, and the gradients of the first three orders along fixed directions."""
        found = list(function(*inputs))
        total = sum((y * y).sum() for y in found)
        for order in range(3):
            gradients = dg.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
            gradients = [g for g in gradients if g is not None]
            found += gradients
            total = sum((g * normal(*g.shape, seed=order)).sum() for g in gradients)
        return found

    for ours, expected in zip(
        orders(fused), orders(lambda *given: composed(module, *given)), strict=True
    ):
        np.testing.assert_allclose(ours.data, expected.data, rtol=1e-9, atol=1e-11)


def run_alone(module, x, states):
    states = None if states is None else list(states)
    if states is not None:
        states = tuple(states) if isinstance(module, nn.LSTM) else states[0]
    output, last = module(x, states)
    return output, list(last) if isinstance(module, nn.LSTM) else [last]


@given(
    kind=st.sampled_from(KINDS),
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    layers=st.integers(1, 2),
    bidirectional=st.booleans(),
    given_states=st.booleans(),
)
def test_packed_sequences_are_each_by_itself(kind, lengths, layers, bidirectional, given_states):
    module = layer(kind, 2, 3, layers, bidirectional=bidirectional)
    passes = layers * (2 if bidirectional else 1)
    sequences = [normal(length, 2, seed=k) for k, length in enumerate(lengths)]
    states = None
    if given_states:
        count = 2 if kind is nn.LSTM else 1
        states = [normal(passes, len(lengths), 3, seed=10 + k) for k in range(count)]
    output, lasts = run_alone(module, pack_sequence(sequences, enforce_sorted=False), states)
    for k, (one, x) in enumerate(zip(unpack_sequence(output), sequences, strict=True)):
        firsts = None if states is None else [state[:, k] for state in states]
        expected, expected_lasts = run_alone(module, x, firsts)
        np.testing.assert_allclose(one.data, expected.data, rtol=1e-12, atol=1e-14)
        for last, expected_last in zip(lasts, expected_lasts, strict=True):
            np.testing.assert_allclose(last.data[:, k], expected_last.data, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_the_layout_of_the_input_does_not_matter(kind):
    x = normal(5, 2, 3)
    output, last = run_alone(layer(kind), x, None)
    first, first_last = run_alone(layer(kind, batch_first=True), x.transpose(0, 1), None)
    np.testing.assert_array_equal(first.transpose(0, 1).data, output.data)
    alone, alone_last = run_alone(layer(kind, batch_first=True), x[:, 0], None)
    np.testing.assert_allclose(alone.data, output.data[:, 0], rtol=1e-13)
    for a, b, c in zip(last, first_last, alone_last, strict=True):
        np.testing.assert_array_equal(a.data, b.data)
        np.testing.assert_allclose(c.data, a.data[:, 0], rtol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_no_sequences_at_all(kind):
    output, last = run_alone(layer(kind, bidirectional=True), normal(5, 0, 3), None)
    assert output.shape == (5, 0, 8)
    assert {state.shape for state in last} == {(2, 0, 4)}
    output.sum().backward()


@pytest.mark.parametrize("kind", KINDS)
def test_layers_are_stacked_with_dropout_between(kind):
    module, x = layer(kind, 3, 4, 2, dropout=0.5), normal(5, 2, 3)
    first, second = layer(kind, 3, 4), layer(kind, 4, 4)
    for number, one in enumerate((first, second)):
        state = {n: v for n, v in module.state_dict().items() if f"_l{number}" in n}
        one.load_state_dict({n.replace(f"_l{number}", "_l0"): v for n, v in state.items()})
    with dg.autograd.random_scope(1):
        output, last = run_alone(module, x, None)
    with dg.autograd.random_scope(1):
        between, _ = run_alone(first, x, None)
        expected, _ = run_alone(second, nn.functional.dropout(between, 0.5), None)
    np.testing.assert_array_equal(output.data, expected.data)
    assert last[0].shape == (2, 2, 4)
    plain, _ = run_alone(second, between, None)
    np.testing.assert_array_equal(run_alone(module.eval(), x, None)[0].data, plain.data)


def test_a_frozen_weight_and_input_without_gradient():
    module = layer(nn.LSTM)
    module.weight_hh_l0.requires_grad_(False)
    module(normal(3, 2, 3))[0].sum().backward()
    assert module.weight_hh_l0.grad is None
    assert module.weight_ih_l0.grad is not None


@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays_float32(kind):
    output, last = run_alone(kind(3, 4), dg.randn(5, 2, 3), None)
    output.sum().backward()
    assert {x.dtype for x in (output, *last)} == {np.dtype(np.float32)}


# Parameters


def test_names_and_shapes():
    module = nn.LSTM(3, 5, 2, bidirectional=True, proj_size=2)
    shapes = {name: value.shape for name, value in module.state_dict().items()}
    assert list(shapes)[:10] == [
        *("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0"),
        *("weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse"),
        *("bias_hh_l0_reverse", "weight_hr_l0_reverse"),
    ]
    assert shapes["weight_ih_l0"] == (20, 3)
    assert shapes["weight_hh_l1_reverse"] == (20, 2)
    assert shapes["weight_ih_l1"] == (20, 4)
    assert shapes["weight_hr_l0"] == (2, 5)
    assert shapes["bias_hh_l1"] == (20,)
    weights = module.all_weights
    assert [len(part) for part in weights] == [5] * 4
    assert weights[1][0] is module.weight_ih_l0_reverse
    assert list(nn.GRU(3, 5, bias=False).state_dict()) == ["weight_ih_l0", "weight_hh_l0"]
    module.flatten_parameters()
    assert {name: value.shape for name, value in module.state_dict().items()} == shapes


@pytest.mark.parametrize("kind", [*KINDS, nn.LSTMCell])
def test_initial_values_are_uniform_within_the_bound_and_seeded(kind):
    dg.manual_seed(3)
    module = kind(30, 100)
    for parameter in module.parameters():
        values = parameter.data
        assert 0.095 < abs(values).max() <= 0.1
        assert abs(values.mean()) < 0.02
        assert values.std() == pytest.approx(0.1 / 3**0.5, rel=0.1)
    dg.manual_seed(3)
    for a, b in zip(module.parameters(), kind(30, 100).parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_repr():
    assert repr(nn.RNN(3, 4)) == "RNN(3, 4)"
    assert repr(nn.GRU(3, 4, 2, bias=False, batch_first=True, dropout=0.5, bidirectional=True)) == (
        "GRU(3, 4, num_layers=2, bias=False, batch_first=True, dropout=0.5, bidirectional=True)"
    )
    assert repr(nn.LSTM(3, 4, proj_size=2)) == "LSTM(3, 4, proj_size=2)"


# Refusals


@pytest.mark.parametrize(
    ("kind", "options", "error", "message"),
    [
        (nn.LSTM, {"input_size": 0}, ValueError, "input_size must be greater than zero, got 0"),
        (nn.LSTM, {"hidden_size": -1}, ValueError, "hidden_size must be greater than zero, got -1"),
        (nn.LSTM, {"num_layers": 0}, ValueError, "num_layers must be greater than zero, got 0"),
        (nn.GRU, {"hidden_size": 4.0}, TypeError, "hidden_size should be of type int, got: float"),
        (nn.GRU, {"input_size": "3"}, TypeError, "input_size should be of type int, got: str"),
        (nn.RNN, {"bias": 1}, TypeError, "bias should be of type bool, got: int"),
        (nn.RNN, {"batch_first": None}, TypeError, "batch_first should be of type bool, got: None"),
        (nn.RNN, {"dropout": 1.5}, ValueError, "dropout must be a number from 0 to 1, got 1.5"),
        (nn.RNN, {"dropout": True}, ValueError, "dropout must be a number from 0 to 1, got True"),
        (nn.RNN, {"nonlinearity": "elu"}, ValueError, "must be 'tanh' or 'relu', got 'elu'"),
        (nn.LSTM, {"proj_size": 4}, ValueError, "from 1 to hidden_size - 1, or 0 .* got 4 for hid"),
        (nn.LSTM, {"proj_size": -1}, ValueError, "or 0 for no projection, got -1 for hidden"),
        (nn.GRU, {"proj_size": 2}, TypeError, "unexpected keyword argument 'proj_size'"),
        (nn.RNNBase, {"mode": "ELMAN"}, ValueError, "one of RNN_TANH, RNN_RELU, LSTM, GRU, got '"),
    ],
)
def test_arguments_are_refused(kind, options, error, message):
    with pytest.raises(error, match=message):
        kind(**{"input_size": 3, "hidden_size": 4, **options})


def test_dropout_with_nothing_to_act_on():
    with pytest.warns(UserWarning, match=r"dropout=0.5 acts between the layers, of which there is"):
        nn.LSTM(3, 4, dropout=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.LSTM(3, 4, 2, dropout=0.5)


def packed(x):
    return pack_padded_sequence(x, [3, 2])


@pytest.mark.parametrize(
    ("x", "states", "error", "message"),
    [
        (normal(3), None, ValueError, "GRU: the input must have shape (L, N, 3), or (N, L, 3)"),
        (normal(3, 2, 2), None, RuntimeError, "length input_size 3, got an input of shape (3, 2"),
        (normal(0, 2, 3), None, RuntimeError, "must have at least one step, got an input of shape"),
        (dg.zeros(3, 2, 3), None, ValueError, "the input has data type float32 and the parameters"),
        (packed(normal(3, 2)), None, RuntimeError, "packed elements must have shape (rows, 3), "),
        (
            normal(5, 2, 3),
            normal(2, 4),
            RuntimeError,
            "GRU: the first h must have shape (1, 2, 4): layers times directions, sequences, "
            "features; got (2, 4)",
        ),
        (
            normal(5, 3),
            normal(1, 1, 4),
            RuntimeError,
            "must have shape (1, 4): layers times directions, features; got (1, 1, 4)",
        ),
        (packed(normal(3, 2, 3)), normal(1, 3, 4), RuntimeError, "h must have shape (1, 2, 4): la"),
        (normal(5, 2, 3), dg.zeros(1, 2, 4), RuntimeError, "the first h has data type float32 and"),
    ],
)
def test_inputs_are_refused(x, states, error, message):
    with pytest.raises(error, match=re.escape(message)):
        layer(nn.GRU)(x, states)


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (normal(1, 2, 4), "LSTM: hx must be a pair of states (h, c), got a Tensor of shape"),
        ((normal(1, 2, 4),), "LSTM: hx must be a pair of states (h, c), got 1 items"),
        ((normal(1, 2, 4), normal(1, 2, 2)), "LSTM: the first c must have shape (1, 2, 4): layers"),
        ((normal(1, 2, 2), normal(1, 2, 4)), "LSTM: the first h must have shape (1, 2, 4): layers"),
    ],
)
def test_states_of_an_lstm_are_refused(states, message):
    with pytest.raises(RuntimeError, match=re.escape(message)):
        layer(nn.LSTM)(normal(5, 2, 3), states)
