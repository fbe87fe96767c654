"""Special functions, under the names of ``torch.special``."""

import math
from typing import Any

from distgrad import ops
from distgrad.creation import as_tensor
from distgrad.functional.angles import sinc
from distgrad.functional.arguments import one_tensor
from distgrad.functional.functions import erf, erfc, exp2, expm1, log1p, logit, xlogy
from distgrad.functional.functions import sigmoid as expit
from distgrad.functional.reductions import log_softmax, logsumexp, softmax
from distgrad.functional.steps import round
from distgrad.tensor import Tensor

__all__ = [
    "entr",
    "erf",
    "erfc",
    "exp2",
    "expit",
    "expm1",
    "log1p",
    "log_softmax",
    "logit",
    "logsumexp",
    "ndtr",
    "round",
    "sinc",
    "softmax",
    "xlog1py",
    "xlogy",
]


def entr(input: Any) -> Tensor:
    """Return ``-x * log(x)`` of each element: 0 at 0, and minus infinity to the left.

    Integers become float32.

    Example:
        >>> entr([0.0, 1.0, 0.5])
        tensor([-0.0000, -0.0000,  0.3466])
    """
    x = as_tensor(input)._floating()
    return x.xlogy(x).neg().where(x.lt(0).logical_not(), -math.inf)


def ndtr(input: Any) -> Tensor:
    """Return the area under the standard normal density to the left of each element.

    Integers become float32.

    Example:
        >>> ndtr([0.0, 1.96])
        tensor([0.5000, 0.9750])
    """
    return as_tensor(input)._floating().mul(-math.sqrt(0.5)).erfc().mul(0.5)


def xlog1py(input: Any, other: Any) -> Tensor:
    """Return ``input * log(1 + other)``; 0 where ``input`` is 0, unless ``other`` is nan.

    Shapes broadcast; integers become float32; one of the two may be a number.

    Raises:
        TypeError: If both are numbers.

    Example:
        >>> xlog1py(as_tensor([0.0, 1.0]), as_tensor([-1.0, 1.0]))
        tensor([0.0000, 0.6931])
    """
    return one_tensor("xlog1py", input, other)._pair(ops.xlog1py, other, floating=True)
