"""A model whose layers have running statistics of every kind, and what to train it with."""

import numpy as np

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn


class Normalized(nn.Module):
    """Layers of several kinds; ``twice`` runs twice, ``rare`` for some micro-batches only."""

    def __init__(self):
        super().__init__()
        dg.manual_seed(5)
        self.conv = nn.Conv2d(1, 3, 3)
        self.images = nn.BatchNorm2d(3)
        self.each = nn.InstanceNorm2d(3, affine=True, track_running_stats=True)
        self.wide = nn.Linear(12, 6)
        self.averaged = nn.BatchNorm1d(6, momentum=None)
        self.twice = nn.BatchNorm1d(6, momentum=0.3)
        self.rare = nn.BatchNorm1d(6)
        self.frozen = nn.BatchNorm1d(6, track_running_stats=False)
        self.out = nn.Linear(6, 2)

    def forward(self, x, rarely):
        x = self.each(self.images(self.conv(x))).relu()
        x = self.averaged(self.wide(x.flatten(1)))
        x = self.twice(F.dropout(self.twice(x), 0.2, self.training))
        if rarely:
            x = self.rare(x)
        return self.out(self.frozen(x))


def images(samples=40):
    rng = np.random.default_rng(samples)
    x = rng.standard_normal((samples, 1, 4, 4)).astype(np.float32)
    return dg.data.TensorDataset(x=x, y=rng.integers(0, 2, samples))


def normalized_loss(model):
    """Every micro-batch whose first pixel is positive uses the rare layer."""

    def loss(batch):
        scores = model(batch.x, bool(batch.x.data.flat[0] > 0))
        return F.cross_entropy(scores, batch.y, reduction="sum"), len(batch.y)

    return loss


def statistics(module):
    """A copy of each buffer, by name."""
    return {name: buffer.data.copy() for name, buffer in module.named_buffers()}
