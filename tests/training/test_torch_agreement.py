"""Training agrees with PyTorch's step by step: the same weights, batches and rounding, in float64.

Each global batch is cut into micro-batches on both sides, the last one short. What remains between
the two is the order in which sums are taken.
"""

from itertools import islice

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.training.models import GPT, cnn
from distgrad.training.parameter_groups import parameter_groups
from distgrad.training.schedules import warmup_cosine

torch = pytest.importorskip("torch")

STEPS = 100
RELATIVE = 6e-12

NOISE = 1e-9
"""For what only rounding moves: a parameter whose gradient is zero but for it."""


def to_float64(module):
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.dtype == np.float32:
            tensor.data = tensor.data.astype(np.float64)


def torch_cnn(channels, hidden, classes, image):
    nn, layers, features = torch.nn, [], image[0]
    for out in channels:
        layers += [nn.Conv2d(features, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
        features = out
    pixels = image[1] * image[2] // 4 ** len(channels)
    layers += [nn.Flatten(), nn.Linear(features * pixels, hidden), nn.ReLU(), nn.Dropout(0.0)]
    return nn.Sequential(*layers, nn.Linear(hidden, classes))


class TorchBlock(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        nn = torch.nn
        self.heads = heads
        self.attention_norm, self.perceptron_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.ModuleDict(
            {"in_proj": nn.Linear(width, 3 * width), "out_proj": nn.Linear(width, width)}
        )
        self.grow, self.shrink = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def attend(self, x):
        n, length, width = x.shape
        heads = self.attention["in_proj"](x).view(n, length, 3, self.heads, width // self.heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        y = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.attention["out_proj"](y.transpose(1, 2).reshape(n, length, width))

    def forward(self, x):
        x = x + self.attend(self.attention_norm(x))
        return x + self.shrink(torch.nn.functional.gelu(self.grow(self.perceptron_norm(x))))


class TorchGPT(torch.nn.Module):
    def __init__(self, layers, width, heads, context, vocabulary):
        super().__init__()
        self.tokens = torch.nn.Embedding(vocabulary, width)
        self.positions = torch.nn.Embedding(context, width)
        self.blocks = torch.nn.Sequential(*(TorchBlock(width, heads) for _ in range(layers)))
        self.norm = torch.nn.LayerNorm(width)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        return self.norm(self.blocks(x)) @ self.tokens.weight.T


class Ours:
    """One step after the other, over global batches, as the trainer does it."""

    def __init__(self, module, loss):
        to_float64(module)
        self.module, self.model = module, DataParallel(module, SingleProcess())
        groups = parameter_groups(module.named_parameters(), "matrices")
        self.optimizer = dg.optim.AdamW(groups, lr=1e-3, weight_decay=0.1)
        self.scheduler = warmup_cosine(self.optimizer, 10, STEPS)
        self.loss = loss

    def step(self, window):
        result = self.model.accumulate(
            lambda batch: (self.loss(self.model(batch.x), batch.y), batch.y.numel()), window
        )
        norm = self.model.clip_grad_norm_(1.0)
        self.optimizer.step()
        self.scheduler.step()
        return result.loss, norm


class Theirs:
    """The same steps in PyTorch."""

    def __init__(self, module, state, loss):
        self.module = module.double()
        self.module.load_state_dict({n: torch.from_numpy(v.data.copy()) for n, v in state.items()})
        matrices = [p for p in module.parameters() if p.ndim > 1]
        others = {"params": [p for p in module.parameters() if p.ndim < 2], "weight_decay": 0.0}
        groups = [{"params": matrices}, others]
        self.optimizer = torch.optim.AdamW(groups, lr=1e-3, weight_decay=0.1)
        schedules = torch.optim.lr_scheduler
        warmup = schedules.LinearLR(self.optimizer, 0.1, total_iters=9)
        fall = schedules.CosineAnnealingLR(self.optimizer, STEPS - 9)
        self.scheduler = schedules.SequentialLR(self.optimizer, [warmup, fall], [9])
        self.loss = loss

    def step(self, window):
        batches = [window.micro_batch(m) for m in range(len(window))]
        count = sum(batch.y.numel() for batch in batches)
        self.optimizer.zero_grad()
        total = 0.0
        for batch in batches:
            output = self.module(torch.from_numpy(batch.x.data))
            loss = self.loss(output, torch.from_numpy(batch.y.data)) / count
            loss.backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimizer.step()
        self.scheduler.step()
        return total, norm.item()


def compare(ours, theirs, windows, noise=()):
    for step, window in enumerate(islice(endless(windows), STEPS), start=1):
        assert ours.step(window) == pytest.approx(theirs.step(window), rel=RELATIVE), step
        reference = theirs.module.state_dict()
        for name, value in ours.module.state_dict().items():
            expected = reference[name].numpy()
            bound = NOISE if name in noise else RELATIVE * np.abs(expected).max()
            difference = np.abs(value.data - expected).max()
            assert difference <= bound, f"{name} at step {step}: {difference:g} > {bound:g}"


def endless(windows):
    while True:
        yield from windows


def test_the_convolutional_network():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((50, 2, 8, 8))
    data = dg.data.TensorDataset(x=x, y=generator.integers(5, size=50))
    shape = {"channels": (4, 6), "hidden": 12, "classes": 5, "image": (2, 8, 8)}
    dg.manual_seed(0)
    ours = Ours(cnn(**shape, batch_norm=True), lambda o, y: F.cross_entropy(o, y, reduction="sum"))
    loss = torch.nn.CrossEntropyLoss(reduction="sum")
    theirs = Theirs(torch_cnn(**shape), ours.module.state_dict(), loss)
    # A convolution's bias is subtracted again by the normalisation behind it.
    noise = ("0.bias", "4.bias", "1.running_mean", "5.running_mean")
    compare(ours, theirs, dg.data.GlobalBatches(data, 20, 8), noise)


def test_the_transformer():
    text = np.random.default_rng(1).integers(11, size=(30, 9))
    data = dg.data.TensorDataset(x=text[:, :-1].copy(), y=text[:, 1:].copy())
    shape = {"layers": 2, "width": 16, "heads": 2, "context": 8, "vocabulary": 11}
    dg.manual_seed(0)

    def flat(output, y):
        return output.reshape(-1, 11), y.reshape(-1)

    ours = Ours(GPT(**shape), lambda o, y: F.cross_entropy(*flat(o, y), reduction="sum"))
    loss = torch.nn.CrossEntropyLoss(reduction="sum")
    theirs = Theirs(TorchGPT(**shape), ours.module.state_dict(), lambda o, y: loss(*flat(o, y)))
    compare(ours, theirs, dg.data.GlobalBatches(data, 20, 8))
