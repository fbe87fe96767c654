"""The autograd engine: recording, the backward pass, gradient modes, the random scope."""

from distgrad.autograd import functional
from distgrad.autograd.accumulation import accumulated
from distgrad.autograd.anomaly import detect_anomaly, is_anomaly_enabled, set_detect_anomaly
from distgrad.autograd.checkpoint import checkpoint, checkpoint_sequential, is_recomputing
from distgrad.autograd.function import Function, FunctionContext, once_differentiable
from distgrad.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from distgrad.autograd.gradients import backward, backward_into, grad
from distgrad.autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from distgrad.autograd.random_scope import manual_seed, next_draw, next_generator, random_scope

__all__ = [
    "Function",
    "FunctionContext",
    "GradcheckError",
    "accumulated",
    "backward",
    "backward_into",
    "checkpoint",
    "checkpoint_sequential",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "is_recomputing",
    "manual_seed",
    "next_draw",
    "next_generator",
    "no_grad",
    "once_differentiable",
    "random_scope",
    "set_detect_anomaly",
    "set_grad_enabled",
]
