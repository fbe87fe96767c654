"""Models, windows and reference runs that the tests of data-parallel training share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn


@dataclass(frozen=True)
class Pieces:
    """A window of the given micro-batches."""

    batches: Sequence[Any]
    step: int = 0
    seed: int = 0

    def __len__(self):
        return len(self.batches)

    def micro_batch(self, index):
        return self.batches[index]


def classifier(dropout=0.0, dtype=np.float32, hidden=8):
    """A model of 6 features and 3 classes; the same whenever it is built."""
    dg.manual_seed(5)
    return nn.Sequential(
        nn.Linear(6, hidden, dtype=dtype),
        nn.Tanh(),
        nn.Dropout(dropout),
        nn.Linear(hidden, 3, dtype=dtype),
    )


def ragged_data(samples, dtype=np.float32):
    """Samples of which some do not count, so that micro-batches of one size differ in count."""
    rng = np.random.default_rng(samples)
    x = rng.standard_normal((samples, 6)).astype(dtype)
    y = rng.integers(0, 3, samples)
    y[rng.random(samples) < 0.4] = -100
    return dg.data.TensorDataset(x=x, y=y)


def classification_loss(model):
    """The loss function of `classifier` on `ragged_data`, as `DataParallel.accumulate` wants it."""

    def loss(batch):
        return (
            F.cross_entropy(model(batch.x), batch.y, reduction="sum"),
            int((batch.y.data >= 0).sum()),
        )

    return loss


def gradients(module):
    """A copy of each gradient by the parameter's name; None where there is none."""
    return {
        name: None if p.grad is None else p.grad.data.copy()
        for name, p in module.named_parameters()
    }


def weights(module):
    """The bits of all parameters and buffers."""
    return {name: (v.dtype.name, v.data.tobytes()) for name, v in module.state_dict().items()}
