"""A linear map and the rectifier behind it, in the memory of the product.

The bits are those of the two operations one after another. Other activations need for their
gradients what they are functions of: there, one operation saves no pass over memory.
"""

import math

from distgrad.ops.elementwise import relu_x
from distgrad.ops.linalg import linear
from distgrad.ops.op import op

__all__ = ["linear_relu"]


@op(kernel=True)
def linear_relu(xp, x, weight, bias, /):
    """``relu(x @ weight.T + bias)``; ``bias`` may be None."""
    y = linear.forward(xp, x, weight, bias)
    if y.dtype.kind != "f":
        return xp.maximum(y, 0, out=y)
    return y.clip(0, math.inf, out=y)


@linear_relu.shared
def _(xp, g, y):
    return relu_x(xp, g, y)


for _name, _rule in linear.rules.items():
    linear_relu.rule(_name)(_rule.function)
