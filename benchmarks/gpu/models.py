"""The models that are timed: ours, and the same of PyTorch."""

from collections.abc import Callable, Iterator
from itertools import pairwise, repeat
from typing import Any

import numpy as np

import distgrad as dg
from benchmarks.gpu.sizes import SIZES
from distgrad import nn
from distgrad.nn import functional as F
from distgrad.training.models.gpt import GPT

__all__ = [
    "accumulated_step",
    "apart_optimizer",
    "carried_step",
    "gpt",
    "mlp",
    "own_step",
    "summed_loss",
    "torch_gpt",
    "torch_mlp",
    "torch_step",
]


def _pairs() -> list[tuple[int, int]]:
    return list(pairwise(SIZES.widths))


def _vectors() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(SIZES.batch, SIZES.widths[0])).astype(np.float32)
    return x, generator.integers(SIZES.widths[-1], size=SIZES.batch)


def _tokens() -> tuple[np.ndarray, np.ndarray]:
    size = SIZES.sequences, SIZES.gpt["context"] + 1
    tokens = np.random.default_rng(0).integers(SIZES.gpt["vocabulary"] - 47, size=size)
    return tokens[:, :-1].copy(), tokens[:, 1:].copy()


def mlp(device: str = "cuda:0") -> tuple[Any, Any, Any]:
    """Return our perceptron, a batch and its targets."""
    dg.manual_seed(0)
    *hidden, output = _pairs()
    layers = [*(nn.LinearReLU(*pair) for pair in hidden), nn.Linear(*output)]
    x, y = _vectors()
    return nn.Sequential(*layers).to(device), dg.tensor(x).to(device), dg.tensor(y).to(device)


def gpt() -> tuple[Any, Any, Any]:
    """Return our GPT of 124M parameters, in float32, a batch and its targets."""
    x, y = _tokens()
    return GPT(**SIZES.gpt).to("cuda:0"), dg.tensor(x).to("cuda:0"), dg.tensor(y).to("cuda:0")


def own_step(model: Any, x: Any, y: Any) -> Callable[[], None]:
    """Return forward and backward pass and a step of AdamW."""
    optimizer = dg.optim.AdamW(model.parameters(), lr=1e-4)

    def step() -> None:
        scores = model(x)
        F.cross_entropy(scores.reshape(-1, scores.shape[-1]), y.reshape(-1)).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


class SameMicroBatch:
    """A window in which one micro-batch comes again and again, and which comes again, too."""

    seed = 0

    def __init__(self, x: Any, y: Any, count: int = 1) -> None:
        self.step = 0
        self._batch = x, y
        self._count = count

    def __len__(self) -> int:
        return self._count

    def micro_batch(self, index: int) -> Any:  # noqa: ARG002 (they are all the same)
        """Return it."""
        return self._batch


def accumulated_step(
    model: Any, x: Any, y: Any, *, capture: bool, precision: str = "fp32"
) -> tuple[Any, Callable[[], None]]:
    """Return the model, and the same step by `DataParallel.accumulate` in one process."""
    alone = dg.distributed.SingleProcess()
    parallel = dg.distributed.DataParallel(model, alone, capture=capture, precision=precision)
    optimizer = dg.optim.AdamW(parallel.parameters(), lr=1e-4)
    optimizer.capture = capture
    window, loss = SameMicroBatch(x, y), summed_loss(parallel)

    def step() -> None:
        if parallel.accumulate(loss, window).finite:
            optimizer.step()
        window.step += 1

    return parallel, step


def summed_loss(model: Any) -> Callable[[Any], Any]:
    """Return the sum of the cross-entropy over a batch (x, y), and what it counts."""

    def loss(batch: Any) -> Any:
        scores = model(batch[0])
        scores = scores.reshape(-1, scores.shape[-1])
        return F.cross_entropy(scores, batch[1].reshape(-1), reduction="sum"), batch[1].numel()

    return loss


def carried_step(way: str) -> Callable[[], None]:
    """Return the passes of a window of batches for the perceptron, without an optimizer.

    Args:
        way: Where the batches are: "resident" on the GPU; "prefetched" from the machine's memory,
            each while the one before is computed on; or "copied", each when it is asked for.
    """
    model, *batch = mlp()
    if way != "resident":
        batch = [dg.tensor(array) for array in _vectors()]
    parallel = dg.distributed.DataParallel(model, dg.distributed.SingleProcess())
    windows: Iterator[Any] = repeat(SameMicroBatch(*batch, SIZES.micro_batches))
    if way == "prefetched":
        windows = dg.data.on_device(windows, "cuda:0")
    loss = summed_loss(parallel)

    def on_gpu(batch: Any) -> Any:
        return loss(tuple([part.to("cuda:0") for part in batch]))

    def step() -> None:
        parallel.accumulate(on_gpu, next(windows))

    return step


def apart_optimizer(parameters: int, capture: bool) -> Any:
    """Return AdamW with parameters of a few elements each, whose memory is not joined."""
    own = [nn.Parameter(dg.ones(33).to("cuda:0")) for _ in range(parameters)]
    for parameter in own:
        parameter.grad = dg.ones(33).to("cuda:0")
    optimizer = dg.optim.AdamW(own, lr=1e-4)
    optimizer.capture = capture
    return optimizer


def torch_mlp(torch: Any) -> tuple[Any, Any, Any, bool]:
    """Return PyTorch's perceptron, a batch, its targets, and whether it computes in bfloat16."""
    layer = torch.nn.Linear
    layers = [each for a, b in _pairs() for each in (layer(a, b), torch.nn.ReLU())][:-1]
    x, y = (torch.tensor(array, device="cuda") for array in _vectors())
    return torch.nn.Sequential(*layers).cuda(), x, y, False


def torch_gpt(torch: Any) -> tuple[Any, Any, Any, bool]:
    """Return the same GPT of PyTorch's layers."""
    t = torch.nn

    class Block(t.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.norms = t.ModuleList([t.LayerNorm(width), t.LayerNorm(width)])
            self.inward, self.outward = t.Linear(width, 3 * width), t.Linear(width, width)
            self.grow, self.shrink = t.Linear(width, 4 * width), t.Linear(4 * width, width)
            self.heads = heads

        def forward(self, x: Any) -> Any:
            n, length, width = x.shape
            qkv = self.inward(self.norms[0](x)).view(n, length, 3, self.heads, -1)
            q, k, v = qkv.permute(2, 0, 3, 1, 4)
            attend = torch.nn.functional.scaled_dot_product_attention
            mixed = attend(q, k, v, is_causal=True).transpose(1, 2).reshape(n, length, width)
            x = x + self.outward(mixed)
            return x + self.shrink(t.functional.gelu(self.grow(self.norms[1](x))))

    class TorchGPT(t.Module):
        def __init__(self) -> None:
            super().__init__()
            width = SIZES.gpt["width"]
            self.tokens = t.Embedding(SIZES.gpt["vocabulary"], width)
            self.positions = t.Embedding(SIZES.gpt["context"], width)
            blocks = [Block(width, SIZES.gpt["heads"]) for _ in range(SIZES.gpt["layers"])]
            self.blocks, self.norm = t.Sequential(*blocks), t.LayerNorm(width)

        def forward(self, tokens: Any) -> Any:
            places = torch.arange(tokens.shape[1], device=tokens.device)
            x = self.blocks(self.tokens(tokens) + self.positions(places))
            return t.functional.linear(self.norm(x), self.tokens.weight)

    x, y = (torch.tensor(array, device="cuda") for array in _tokens())
    return TorchGPT().cuda(), x, y, True


def torch_step(
    torch: Any, model: Any, x: Any, y: Any, half: bool, *, compiled: bool
) -> Callable[[], None]:
    """Return the same step by PyTorch, with its fused AdamW."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    forward = torch.compile(model, mode="max-autotune") if compiled else model

    def step() -> None:
        with torch.autocast("cuda", torch.bfloat16, enabled=half):
            scores = forward(x)
            scores = scores.reshape(-1, scores.shape[-1])
            loss = torch.nn.functional.cross_entropy(scores, y.reshape(-1))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step
