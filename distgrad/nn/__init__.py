"""Neural networks: modules, layers, losses, initial values, gradient clipping."""

from distgrad.nn import functional, init, utils
from distgrad.nn.activation import GELU, ReLU, Sigmoid, Softmax, Tanh
from distgrad.nn.attention import CausalSelfAttention
from distgrad.nn.container import Sequential
from distgrad.nn.conv import Conv2d
from distgrad.nn.dropout import Dropout
from distgrad.nn.linear import Linear
from distgrad.nn.loss import CrossEntropyLoss, MSELoss, NLLLoss
from distgrad.nn.module import Module
from distgrad.nn.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from distgrad.nn.parameter import Parameter
from distgrad.nn.pooling import AvgPool2d, MaxPool2d
from distgrad.nn.shape import Flatten, Identity
from distgrad.nn.sparse import Embedding
from distgrad.nn.statistics import RunningStatistics

__all__ = [
    "GELU",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "CausalSelfAttention",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "Identity",
    "LayerNorm",
    "Linear",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "RunningStatistics",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "functional",
    "init",
    "utils",
]
