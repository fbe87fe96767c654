"""The functions of neural networks, with PyTorch's names and arguments; by custom ``F``."""

from distgrad.nn.functional.activation import log_softmax, relu, tanh
from distgrad.nn.functional.dropout import dropout
from distgrad.nn.functional.linear import linear
from distgrad.nn.functional.loss import cross_entropy, mse_loss

__all__ = ["cross_entropy", "dropout", "linear", "log_softmax", "mse_loss", "relu", "tanh"]
