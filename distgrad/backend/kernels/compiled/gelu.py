"""The Gaussian error linear unit and its derivative, in one pass each."""

import math
from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels.compiled.arguments import together
from distgrad.backend.kernels.compiled.compiling import compiled, fma, inlined
from distgrad.backend.kernels.compiled.mathematics import exp_of_negative, tanh
from distgrad.backend.kernels.table import Column

__all__ = ["COLUMN"]

_HALF, _ONE, _TWO = np.float32(0.5), np.float32(1), np.float32(2)
_ROOT_HALF = np.float32(math.sqrt(0.5))
_DENSITY = np.float32(1 / math.sqrt(2 * math.pi))
_LINEAR = np.float32(math.sqrt(2 / math.pi))
_CUBIC = np.float32(0.044715)
_SLOPE_CUBIC = np.float32(3 * 0.044715)

# erf(x) = tanh(x R(x ** 2)): see distgrad.ops.error_function.
_BOUND = np.float32(4.2)
_R0 = np.float32(1.1283792746079908)
_R1 = np.float32(0.10276905389599604)
_R2 = np.float32(-1.918268356612753e-4)
_R3 = np.float32(-6.197879338779026e-4)
_R4 = np.float32(8.763853858371299e-5)
_R5 = np.float32(-5.668686786270915e-6)
_R6 = np.float32(1.4186541403380326e-7)


@inlined
def _exact_weight(x: Any) -> Any:
    """The normal distribution function."""
    x = x * _ROOT_HALF
    x = -_BOUND if x < -_BOUND else x
    x = _BOUND if x > _BOUND else x
    z = x * x
    r = fma(fma(fma(fma(fma(fma(_R6, z, _R5), z, _R4), z, _R3), z, _R2), z, _R1), z, _R0)
    return fma(tanh(x * r), _HALF, _HALF)


@inlined
def _near_weight(x: Any) -> Any:
    return fma(tanh(x * fma(x * x, _CUBIC, _ONE) * _LINEAR), _HALF, _HALF)


@compiled("void(f4[::1], f4[::1])")
def _exact(x: Any, y: Any) -> None:
    for i in range(x.size):
        y[i] = x[i] * _exact_weight(x[i])


@compiled("void(f4[::1], f4[::1])")
def _near(x: Any, y: Any) -> None:
    for i in range(x.size):
        y[i] = x[i] * _near_weight(x[i])


@compiled("void(f4[::1], f4[::1], f4[::1])")
def _exact_slope(g: Any, x: Any, y: Any) -> None:
    for i in range(x.size):
        v = x[i]
        density = exp_of_negative(v * v * -_HALF) * _DENSITY
        y[i] = g[i] * fma(v, density, _exact_weight(v))


@compiled("void(f4[::1], f4[::1], f4[::1])")
def _near_slope(g: Any, x: Any, y: Any) -> None:
    for i in range(x.size):
        v = x[i]
        weight = _near_weight(v)
        density = weight * (_ONE - weight) * (fma(v * v, _SLOPE_CUBIC, _ONE) * (_TWO * _LINEAR))
        y[i] = g[i] * fma(v, density, weight)


def gelu(xp: Namespace, x: Array, approximate: str = "none") -> Any:
    given = together(x)
    if given is None:
        return NotImplemented
    y = xp.empty(x.shape, x.dtype)
    (_exact if approximate == "none" else _near)(given[0].reshape(-1), y.reshape(-1))
    return y


def gelu_x(xp: Namespace, g: Array, x: Array, approximate: str) -> Any:
    given = together(g, x)
    if given is None or g.shape != x.shape:
        return NotImplemented
    y = xp.empty(x.shape, x.dtype)
    slope = _exact_slope if approximate == "none" else _near_slope
    slope(given[0].reshape(-1), given[1].reshape(-1), y.reshape(-1))
    return y


COLUMN: Column = {"gelu": gelu, "gelu_x": gelu_x}
