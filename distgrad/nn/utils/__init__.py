"""Gradient clipping, parameters as one vector, sequences of different lengths."""

from distgrad.nn.utils import rnn
from distgrad.nn.utils.clip_grad import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    combine_power_sums,
    get_total_norm,
    power_sums,
)
from distgrad.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "combine_power_sums",
    "get_total_norm",
    "parameters_to_vector",
    "power_sums",
    "rnn",
    "vector_to_parameters",
]
