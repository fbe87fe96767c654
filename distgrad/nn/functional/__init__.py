"""The functions of neural networks, with PyTorch's names and arguments; by custom ``F``."""

from distgrad.nn.functional.activation import (
    gelu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    tanh,
)
from distgrad.nn.functional.attention import scaled_dot_product_attention
from distgrad.nn.functional.conv import conv2d
from distgrad.nn.functional.dropout import dropout
from distgrad.nn.functional.embedding import embedding
from distgrad.nn.functional.linear import linear
from distgrad.nn.functional.loss import cross_entropy, mse_loss, nll_loss
from distgrad.nn.functional.norm import batch_norm, layer_norm
from distgrad.nn.functional.pad import pad
from distgrad.nn.functional.pool import avg_pool2d, max_pool2d

__all__ = [
    "avg_pool2d",
    "batch_norm",
    "conv2d",
    "cross_entropy",
    "dropout",
    "embedding",
    "gelu",
    "layer_norm",
    "linear",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "pad",
    "relu",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "tanh",
]
