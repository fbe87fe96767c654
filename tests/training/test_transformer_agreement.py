"""Training of an encoder and decoder agrees with PyTorch's step by step, in float64.

The same weights, batches and masks on both sides; what remains is the order in which sums are
taken. The seed is one from which training does not part: from others, PyTorch with the last bit of
one weight changed is 2e-9 away from itself after 100 steps.
"""

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn

torch = pytest.importorskip("torch")

STEPS = 100
RELATIVE = 6e-12

NOISE = 1e-9
"""For the biases of keys: each adds one number to all scores of a query, and changes nothing."""

WIDTH, WORDS = 8, 7
OPTIMIZERS = {
    "SGD": {"lr": 0.01, "momentum": 0.9, "weight_decay": 1e-3},
    "AdamW": {"lr": 1e-3, "weight_decay": 0.05},
}


def batch():
    """Sequences of several lengths, and what is to be made of them: the same from behind."""
    generator = np.random.default_rng(0)
    words = generator.integers(1, WORDS, size=(6, 5))
    padding = np.arange(5) >= np.array([5, 3, 4, 5, 2, 4])[:, None]
    target = np.concatenate([np.zeros((6, 1), np.int64), words[:, ::-1]], 1)
    return words, padding, target[:, :-1].copy(), target[:, 1:].copy()


SOURCE, PADDING, TARGET, FOLLOWING = batch()


@pytest.fixture(autouse=True)
def one_thread():
    """Products this small take PyTorch longer on several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def ours(norm_first):
    dg.manual_seed(2)
    model = nn.Module()
    model.words = nn.Embedding(WORDS, WIDTH, dtype=np.float64)
    model.transformer = nn.Transformer(
        WIDTH, 2, 2, 2, 16, 0.0, "gelu", batch_first=True, norm_first=norm_first, dtype=np.float64
    )
    model.scores = nn.Linear(WIDTH, WORDS, dtype=np.float64)
    return model


def theirs(model, norm_first):
    copy = torch.nn.Module()
    copy.words = torch.nn.Embedding(WORDS, WIDTH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)  # about a fast path
        copy.transformer = torch.nn.Transformer(
            WIDTH, 2, 2, 2, 16, 0.0, "gelu", batch_first=True, norm_first=norm_first
        )
    copy.scores = torch.nn.Linear(WIDTH, WORDS)
    copy.double()
    copy.load_state_dict({k: torch.tensor(v.data) for k, v in model.state_dict().items()})
    return copy


def loss_of(model, tensor, cross_entropy):
    padding = tensor(PADDING)
    output = model.transformer(
        model.words(tensor(SOURCE)),
        model.words(tensor(TARGET)),
        tgt_mask=tensor(np.triu(np.ones((5, 5), bool), 1)),
        src_key_padding_mask=padding,
        memory_key_padding_mask=padding,
    )
    return cross_entropy(model.scores(output).reshape(-1, WORDS), tensor(FOLLOWING).reshape(-1))


def bound(name, expected):
    """What the entries of a parameter may differ by; the second third of in_proj_bias is keys'."""
    bounds = np.full(expected.shape, RELATIVE * np.abs(expected).max())
    if name.endswith("in_proj_bias"):
        bounds[WIDTH : 2 * WIDTH] = NOISE
    return bounds


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("norm_first", [False, True])
def test_the_weights_are_pytorchs_after_every_step(norm_first, optimizer):
    mine = ours(norm_first)
    other = theirs(mine, norm_first)
    arguments = OPTIMIZERS[optimizer]
    mine_steps = getattr(dg.optim, optimizer)(mine.parameters(), **arguments)
    other_steps = getattr(torch.optim, optimizer)(other.parameters(), **arguments)
    losses = []
    for step in range(1, STEPS + 1):
        mine_steps.zero_grad()
        loss = loss_of(mine, dg.Tensor, F.cross_entropy)
        loss.backward()
        mine_steps.step()
        other_steps.zero_grad()
        reference = loss_of(other, torch.tensor, torch.nn.functional.cross_entropy)
        reference.backward()
        other_steps.step()
        assert loss.item() == pytest.approx(reference.item(), rel=RELATIVE), step
        for name, expected in other.state_dict().items():
            expected = expected.numpy()
            difference = np.abs(mine.state_dict()[name].data - expected)
            excess = (difference / bound(name, expected)).max()
            assert excess <= 1, f"{name} at step {step}: {difference.max():g}"
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
