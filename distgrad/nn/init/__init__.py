"""Initial values of parameters, written in place; names and formulas are PyTorch's.

Every call draws from a generator of its own, keyed by the random scope: `distgrad.manual_seed`
starts the sequence anew. The draws are made in float64 and then rounded, so a model has the same
initial values in every precision, up to rounding.
"""

from distgrad.nn.init.distributions import (
    constant_,
    normal_,
    ones_,
    trunc_normal_,
    uniform_,
    zeros_,
)
from distgrad.nn.init.fans import calculate_gain, fan_in_and_fan_out
from distgrad.nn.init.scaled import (
    kaiming_normal_,
    kaiming_uniform_,
    xavier_normal_,
    xavier_uniform_,
)
from distgrad.nn.init.structured import dirac_, eye_, orthogonal_, sparse_

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "fan_in_and_fan_out",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]
