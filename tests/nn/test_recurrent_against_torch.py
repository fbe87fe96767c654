"""Recurrent layers agree with PyTorch's: values, states, gradients of two orders, and training."""

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn
from distgrad.nn.utils import rnn

torch = pytest.importorskip("torch")

STEPS = 100
RELATIVE = 6e-12


def pair(kind, *args, **options):
    """The same layer on both sides."""
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind)(*args, **options).double()
    ours = getattr(nn, kind)(*args, **options, dtype=np.float64)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict({name: value.numpy() for name, value in state.items()})
    assert repr(ours) == repr(theirs)
    return ours, theirs


def leaf(*shape, seed=0):
    values = np.random.default_rng(seed).standard_normal(shape)
    return dg.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)


def assert_close(ours, theirs, what=None):
    assert ours.shape == tuple(theirs.shape), what
    np.testing.assert_allclose(
        ours.data, theirs.detach().numpy(), rtol=1e-9, atol=1e-11, err_msg=str(what)
    )


def compare_gradients(ours, theirs, ours_of, theirs_of):
    """Of the first order, and of the second along the first."""
    total, reference = (sum((y**3).sum() for y in side) for side in (ours, theirs))
    for _ in range(2):
        found = dg.autograd.grad(total, ours_of, create_graph=True)
        expected = torch.autograd.grad(reference, theirs_of, create_graph=True)
        for number, (g, e) in enumerate(zip(found, expected, strict=True)):
            assert_close(g, e, number)
        total, reference = (sum((g**2).sum() for g in side) for side in (found, expected))


LAYERS = [
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu", "num_layers": 2, "bidirectional": True}),
    ("RNN", {"bias": False, "batch_first": True}),
    ("LSTM", {}),
    ("LSTM", {"num_layers": 2, "bidirectional": True, "batch_first": True}),
    ("LSTM", {"bias": False, "proj_size": 2, "bidirectional": True}),
    ("LSTM", {"num_layers": 2, "proj_size": 2}),
    ("GRU", {}),
    ("GRU", {"num_layers": 2, "bidirectional": True}),
    ("GRU", {"bias": False, "num_layers": 2, "batch_first": True}),
]


@pytest.mark.parametrize("form", ["padded", "packed", "alone"])
@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_layers(kind, options, form):
    ours, theirs = pair(kind, 3, 4, **options)
    passes = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    batch_first = options.get("batch_first", False)
    alone = form == "alone"
    shape = (4, 3) if alone else (2, 4, 3) if batch_first else (4, 2, 3)
    x, t = leaf(*shape)
    sequences = () if alone else (2,)
    widths = [options.get("proj_size", 4), 4][: 2 if kind == "LSTM" else 1]
    pairs = [leaf(passes, *sequences, width, seed=k) for k, width in enumerate(widths)]
    states, references = (list(side) for side in zip(*pairs, strict=True))
    given, given_theirs = x, t
    if form == "packed":
        given = rnn.pack_padded_sequence(x, [3, 4], batch_first, enforce_sorted=False)
        given_theirs = torch.nn.utils.rnn.pack_padded_sequence(
            t, torch.tensor([3, 4]), batch_first, enforce_sorted=False
        )
    is_lstm = kind == "LSTM"
    output, last = ours(given, tuple(states) if is_lstm else states[0])
    expected, expected_last = theirs(given_theirs, tuple(references) if is_lstm else references[0])
    found, wanted = ([*s] if is_lstm else [s] for s in (last, expected_last))
    found.append(output.data if form == "packed" else output)
    wanted.append(expected.data if form == "packed" else expected)
    for y, e in zip(found, wanted, strict=True):
        assert_close(y, e)
    compare_gradients(
        found, wanted, [x, *states, *ours.parameters()], [t, *references, *theirs.parameters()]
    )
    with dg.no_grad(), torch.no_grad():
        assert_close(ours(x)[0], theirs(t)[0], "from zeros")


@pytest.mark.parametrize("options", [{}, {"bias": False}])
@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cells(kind, options):
    ours, theirs = pair(kind, 3, 4, **options)
    x, t = leaf(2, 3)
    pairs = [leaf(2, 4, seed=k) for k in range(2 if kind == "LSTMCell" else 1)]
    states, references = (list(side) for side in zip(*pairs, strict=True))
    if kind == "LSTMCell":
        found, expected = ours(x, tuple(states)), theirs(t, tuple(references))
    else:
        found, expected = [ours(x, states[0])], [theirs(t, references[0])]
    for y, e in zip(found, expected, strict=True):
        assert_close(y, e)
    compare_gradients(
        found, expected, [x, *states, *ours.parameters()], [t, *references, *theirs.parameters()]
    )


class Ours(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layers = getattr(nn, kind)(3, 8, 2, bidirectional=True, dtype=np.float64)
        self.output = nn.Linear(16, 1, dtype=np.float64)

    def forward(self, x, lengths):
        packed = rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
        states, _ = rnn.pad_packed_sequence(self.layers(packed)[0])
        return self.output(states)


class Theirs(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layers = getattr(torch.nn, kind)(3, 8, 2, bidirectional=True)
        self.output = torch.nn.Linear(16, 1)

    def forward(self, x, lengths):
        of = torch.nn.utils.rnn
        packed = of.pack_padded_sequence(x, lengths, enforce_sorted=False)
        states, _ = of.pad_packed_sequence(self.layers(packed)[0])
        return self.output(states)


OPTIMIZERS = {
    "SGD": {"lr": 0.02, "momentum": 0.9},
    "AdamW": {"lr": 3e-3, "weight_decay": 0.1},
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_training(kind, optimizer):
    """Weights after each of 100 steps, on sequences of different lengths."""
    torch.manual_seed(0)
    theirs, ours = Theirs(kind).double(), Ours(kind)
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    options = OPTIMIZERS[optimizer]
    own = getattr(dg.optim, optimizer)(ours.parameters(), **options)
    other = getattr(torch.optim, optimizer)(theirs.parameters(), **options)
    generator = np.random.default_rng(0)
    for step in range(1, STEPS + 1):
        x = generator.standard_normal((7, 4, 3))
        y = np.cumsum(x.sum(-1, keepdims=True), axis=0)
        lengths = [7, *generator.integers(1, 8, size=3).tolist()]
        loss = ((ours(dg.tensor(x), lengths) - dg.tensor(y)) ** 2).mean()
        expected = ((theirs(torch.tensor(x), torch.tensor(lengths)) - torch.tensor(y)) ** 2).mean()
        assert loss.item() == pytest.approx(expected.item(), rel=RELATIVE), step
        own.zero_grad()
        other.zero_grad()
        loss.backward()
        expected.backward()
        own.step()
        other.step()
        for name, reference in theirs.state_dict().items():
            difference = np.abs(ours.state_dict()[name].data - reference.numpy()).max()
            assert difference <= RELATIVE * np.abs(reference.numpy()).max(), (name, step)
