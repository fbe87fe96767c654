"""Learning-rate schedules; an epoch is whatever lies between two calls of ``step``.

Each computes the next learning rate from the present one, as PyTorch's do, so several schedules of
one optimizer combine: their factors multiply.
"""

from distgrad.optim.lr_scheduler.cosine import CosineAnnealingLR
from distgrad.optim.lr_scheduler.linear import LinearLR
from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.lr_scheduler.sequential import SequentialLR
from distgrad.optim.lr_scheduler.step import StepLR

__all__ = ["CosineAnnealingLR", "LRScheduler", "LinearLR", "SequentialLR", "StepLR"]
