"""The autograd engine: recording, the backward pass, gradient modes, the random scope."""

from distgrad.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from distgrad.autograd.gradients import backward, backward_into, grad
from distgrad.autograd.modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from distgrad.autograd.random_scope import manual_seed, next_generator, random_scope

__all__ = [
    "GradcheckError",
    "backward",
    "backward_into",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "is_grad_enabled",
    "manual_seed",
    "next_generator",
    "no_grad",
    "random_scope",
    "set_grad_enabled",
]
