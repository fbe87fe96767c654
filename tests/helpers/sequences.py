"""Sequences of different lengths, and a recurrent network over them."""

import numpy as np

from distgrad import nn
from distgrad.data import Split, TensorDataset
from distgrad.nn.utils.rnn import pack_padded_sequence
from distgrad.tensor import Tensor


def sequences() -> Split:
    """Steps of two features, of which the first is 1, and 0 behind the end."""
    generator = np.random.default_rng(0)

    def part(n: int) -> TensorDataset:
        x = generator.standard_normal((n, 9, 2), dtype=np.float32)
        x[:, :, 0] = np.arange(9) < generator.integers(1, 10, size=(n, 1))
        x[:, :, 1] *= x[:, :, 0]
        return TensorDataset(x=x, y=x[:, :, 1].sum(axis=1, keepdims=True))

    return Split(part(70), part(21))


class Summing(nn.Module):
    """An LSTM in both directions and a GRU behind it, each over the sequences as they are."""

    def __init__(self) -> None:
        super().__init__()
        options = {"batch_first": True, "dropout": 0.2, "bidirectional": True}
        self.both = nn.LSTM(2, 12, 2, proj_size=5, **options)
        self.behind = nn.GRU(10, 7)
        self.output = nn.Linear(7, 1)

    def forward(self, x: Tensor) -> Tensor:
        lengths = x.data[:, :, 0].sum(axis=1).astype(np.int64).tolist()
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, last = self.behind(self.both(packed)[0])
        output: Tensor = self.output(last[0])
        return output
