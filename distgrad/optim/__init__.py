"""Optimizers, learning-rate schedules and averages of weights."""

from distgrad.optim import lr_scheduler, swa_utils
from distgrad.optim.adadelta import Adadelta
from distgrad.optim.adagrad import Adagrad
from distgrad.optim.adam import Adam, AdamW
from distgrad.optim.adamax import Adamax
from distgrad.optim.lamb import LAMB
from distgrad.optim.lars import LARS
from distgrad.optim.lion import Lion
from distgrad.optim.nadam import NAdam
from distgrad.optim.optimizer import Optimizer
from distgrad.optim.radam import RAdam
from distgrad.optim.rmsprop import RMSprop
from distgrad.optim.sgd import SGD

__all__ = [
    "LAMB",
    "LARS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "lr_scheduler",
    "swa_utils",
]
