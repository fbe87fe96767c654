"""A chain of cheap operations, forward and backward: by NumPy alone, by distgrad, by PyTorch."""

from collections.abc import Callable
from typing import Any

import numpy as np

SHAPE = (8, 16)
LINKS = 16
OPERATIONS = 3 * LINKS
"""``tanh(h * w + b)`` in each link."""


def arrays() -> list[Any]:
    """Return the start of the chain, the factor and the summand."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(SHAPE).astype(np.float32) for _ in range(3)]


_GIVEN = arrays()


def numpy_gradients() -> list[Any]:
    """Run the chain as the calls of NumPy that its values and gradients need, and no more.

    Returns:
        The gradients of the sum of the last result by `arrays`.
    """
    start, factor, summand = _GIVEN
    h, kept = start, []
    for _ in range(LINKS):
        y = np.tanh(np.add(np.multiply(h, factor), summand))
        kept.append((h, y))
        h = y
    g = np.broadcast_to(np.ones_like(np.sum(h)), h.shape)
    of_factor, of_summand = np.zeros_like(factor), np.zeros_like(summand)
    for h, y in reversed(kept):
        g = g * (1 - y * y)
        np.add(of_summand, g, of_summand)
        np.add(of_factor, g * h, of_factor)
        g = g * factor
    return [g, of_factor, of_summand]


def with_distgrad() -> Callable[[], None]:
    """Return the chain as distgrad records it."""
    import distgrad as dg

    leaves = [dg.tensor(array, requires_grad=True) for array in arrays()]
    return _recorded(leaves)


def with_torch() -> Callable[[], None]:
    """Return the chain as PyTorch records it."""
    import torch

    torch.set_num_threads(1)
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays()]
    return _recorded(leaves)


def _recorded(leaves: list[Any]) -> Callable[[], None]:
    start, factor, summand = leaves

    def run() -> None:
        h = start
        for _ in range(LINKS):
            h = (h * factor + summand).tanh()
        h.sum().backward()
        for leaf in leaves:
            leaf.grad = None

    return run


SIDES: dict[str, Callable[[], Callable[[], Any]]] = {
    "numpy": lambda: numpy_gradients,
    "distgrad": with_distgrad,
    "torch": with_torch,
}
