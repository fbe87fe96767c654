"""Array functions, each with its gradient rules beside it; see `distgrad.ops.op`.

Names and arguments are NumPy's: this package is also the namespace in which rules run on Tensors.
"""

from distgrad.ops.elementwise import (
    absolute,
    add,
    astype,
    divide,
    dropout,
    equal,
    exp,
    greater,
    greater_equal,
    isfinite,
    less,
    less_equal,
    log,
    multiply,
    negative,
    not_equal,
    power,
    relu,
    sign,
    sqrt,
    subtract,
    tanh,
)
from distgrad.ops.index import getitem, put
from distgrad.ops.linalg import dot, linear, matmul
from distgrad.ops.loss import cross_entropy, log_softmax, mse_loss
from distgrad.ops.op import Op, op
from distgrad.ops.reduce import all, amax, any, argmax, mean, norm, sum
from distgrad.ops.shape import broadcast_to, reshape, transpose

__all__ = [
    "Op",
    "absolute",
    "add",
    "all",
    "amax",
    "any",
    "argmax",
    "astype",
    "broadcast_to",
    "cross_entropy",
    "divide",
    "dot",
    "dropout",
    "equal",
    "exp",
    "getitem",
    "greater",
    "greater_equal",
    "isfinite",
    "less",
    "less_equal",
    "linear",
    "log",
    "log_softmax",
    "matmul",
    "mean",
    "mse_loss",
    "multiply",
    "negative",
    "norm",
    "not_equal",
    "op",
    "power",
    "put",
    "relu",
    "reshape",
    "sign",
    "sqrt",
    "subtract",
    "sum",
    "tanh",
    "transpose",
]
