"""Small models of every kind whose passes a GPU can record as graphs."""

from collections.abc import Callable

import numpy as np

import distgrad as dg
from distgrad import nn
from distgrad.nn import functional as F
from distgrad.training.models.cnn import cnn
from distgrad.training.models.gpt import GPT
from distgrad.training.models.mlp import mlp
from distgrad.training.models.recurrent import Recurrent

__all__ = ["MODELS", "images"]


def images(*shape: int) -> np.ndarray:
    return np.sin(np.arange(np.prod(shape), dtype=np.float32)).reshape(shape)


def sequences(count: int, length: int, vocabulary: int) -> np.ndarray:
    return np.arange(count * length).reshape(count, length) * 7 % vocabulary


def language(dropout: float) -> tuple[nn.Module, np.ndarray, np.ndarray]:
    tokens = sequences(2, 8, 11)
    sizes = {"layers": 1, "width": 8, "heads": 2, "context": 8, "vocabulary": 11}
    return GPT(**sizes, dropout=dropout), tokens, np.roll(tokens, -1, 1)


class Masked(nn.Module):
    """Attention whose masks are given: truth values, and terms that want a gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(8, 24)
        self.terms = nn.Parameter(images(5, 5))
        self.register_buffer("seen", dg.tensor(np.tri(5, dtype=bool)))
        self.output = nn.Linear(8, 3)

    def forward(self, x: dg.Tensor) -> dg.Tensor:
        query, key, value = (
            part.reshape(2, 5, 2, 4).transpose(1, 2) for part in self.map(x).split(8, -1)
        )
        gathered = F.scaled_dot_product_attention(query, key, value, self.seen)
        gathered = gathered + F.scaled_dot_product_attention(query, key, value, self.terms)
        gathered = gathered + F.scaled_dot_product_attention(query, key[:, :, :3], value[:, :, :3])
        output: dg.Tensor = self.output(gathered.transpose(1, 2).reshape(2, 5, 8))
        return output


class Contracted(nn.Module):
    """Attention written out as sums of products."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(images(3, 2, 4, 8))

    def forward(self, x: dg.Tensor) -> dg.Tensor:
        query, key, value = dg.einsum("nte,phde->pnhtd", x, self.weight)
        weights = dg.einsum("nhqd,nhkd->nhqk", query, key).softmax(-1)
        gathered: dg.Tensor = dg.einsum("nhqk,nhkd->nqhd", weights, value)
        return gathered.reshape(2, 5, 8)


class Encoder(nn.Module):
    """A layer of a transformer, with padding."""

    def __init__(self, activation: str) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(
            8, 2, 16, dropout=0.0, batch_first=True, activation=activation
        )
        self.register_buffer("hidden", dg.tensor([[False] * 3 + [True] * 2, [False] * 5]))

    def forward(self, x: dg.Tensor) -> dg.Tensor:
        output: dg.Tensor = self.layer(x, src_key_padding_mask=self.hidden)
        return output


class Projected(nn.LSTM):
    """What an LSTM with a projection returns behind each step."""

    def __init__(self) -> None:
        super().__init__(4, 6, batch_first=True, proj_size=3)

    def forward(self, x: dg.Tensor) -> dg.Tensor:
        return super().forward(x)[0]


CLASSES = np.arange(4) % 3
MODELS: dict[str, Callable[[], tuple[nn.Module, np.ndarray, np.ndarray]]] = {
    "mlp": lambda: (mlp([6, 8, 8, 3], dropout=0.3), images(4, 6), CLASSES),
    "mlp of tanh": lambda: (mlp([6, 8, 3], activation="tanh"), images(4, 6), CLASSES),
    "gpt": lambda: language(0.0),
    "gpt with dropout": lambda: language(0.2),
    "cnn": lambda: (
        cnn([4, 8], hidden=8, classes=3, image=(1, 8, 8)),
        images(4, 1, 8, 8),
        CLASSES,
    ),
    "lstm": lambda: (Recurrent("lstm", 2, 4, layers=2, outputs=3), images(4, 5, 2), CLASSES),
    "gru": lambda: (Recurrent("gru", 2, 4, outputs=3), images(4, 5, 2), CLASSES),
    "rnn": lambda: (Recurrent("rnn", 2, 4, outputs=3), images(4, 5, 2), CLASSES),
    "projected lstm": lambda: (
        Projected(),
        images(4, 5, 4),
        sequences(4, 5, 3),
    ),
    "masked attention": lambda: (Masked(), images(2, 5, 8), sequences(2, 5, 3)),
    "contracted": lambda: (Contracted(), images(2, 5, 8), sequences(2, 5, 8)),
    "encoder": lambda: (Encoder("gelu"), images(2, 5, 8), sequences(2, 5, 8)),
    "groups": lambda: (
        nn.Sequential(
            nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten()
        ),
        images(4, 2, 6, 6),
        CLASSES,
    ),
    "upwards": lambda: (
        nn.Sequential(nn.ConvTranspose2d(2, 4, 3, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        images(4, 2, 3, 3),
        CLASSES,
    ),
    "statistics": lambda: (
        nn.Sequential(
            nn.Conv2d(2, 4, 3, bias=False),
            nn.BatchNorm2d(4, track_running_stats=False),
            nn.ReLU(),
            nn.Flatten(),
        ),
        images(4, 2, 5, 5),
        CLASSES,
    ),
}
