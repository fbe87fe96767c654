"""Gradient clipping, and parameters as one vector."""

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
    "vector_to_parameters",
]
