"""Learning-rate schedules; an epoch is whatever lies between two calls of ``step``.

Most compute the next learning rate from the present one, as PyTorch's do, so several schedules of
one optimizer combine: their factors multiply.
"""

from distgrad.optim.lr_scheduler.chained import ChainedScheduler
from distgrad.optim.lr_scheduler.constant import ConstantLR
from distgrad.optim.lr_scheduler.cosine import CosineAnnealingLR
from distgrad.optim.lr_scheduler.cyclic import CyclicLR
from distgrad.optim.lr_scheduler.exponential import ExponentialLR
from distgrad.optim.lr_scheduler.lambdas import LambdaLR, MultiplicativeLR
from distgrad.optim.lr_scheduler.linear import LinearLR
from distgrad.optim.lr_scheduler.multistep import MultiStepLR
from distgrad.optim.lr_scheduler.one_cycle import OneCycleLR
from distgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from distgrad.optim.lr_scheduler.polynomial import PolynomialLR
from distgrad.optim.lr_scheduler.scheduler import LRScheduler
from distgrad.optim.lr_scheduler.sequential import SequentialLR
from distgrad.optim.lr_scheduler.step import StepLR
from distgrad.optim.lr_scheduler.warm_restarts import CosineAnnealingWarmRestarts

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
