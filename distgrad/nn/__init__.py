"""Neural networks: modules, layers, losses, initial values, gradient clipping."""

from distgrad.nn import functional, init, utils
from distgrad.nn.activation import ReLU, Tanh
from distgrad.nn.container import Sequential
from distgrad.nn.dropout import Dropout
from distgrad.nn.linear import Linear
from distgrad.nn.loss import CrossEntropyLoss, MSELoss
from distgrad.nn.module import Module
from distgrad.nn.parameter import Parameter
from distgrad.nn.shape import Flatten, Identity

__all__ = [
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Identity",
    "Linear",
    "MSELoss",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "Tanh",
    "functional",
    "init",
    "utils",
]
