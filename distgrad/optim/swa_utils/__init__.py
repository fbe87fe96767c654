"""Averages of a model's weights over training, and what goes with them."""

from distgrad.optim.swa_utils.averaged_model import AveragedModel
from distgrad.optim.swa_utils.averages import (
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_avg_fn,
    get_swa_multi_avg_fn,
)
from distgrad.optim.swa_utils.batch_statistics import update_bn
from distgrad.optim.swa_utils.swalr import SWALR

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]
