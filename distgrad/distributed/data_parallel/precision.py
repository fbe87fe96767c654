"""Half precision: a copy of the parameters that forward and backward passes use, and its scale.

The parameters, their gradients and the optimizer's state stay in float32. What a step computes on
is a copy in 16 bits; the gradients of that are added up in float32. P. Micikevicius et al., "Mixed
precision training", ICLR 2018. With bfloat16, which has the range of float32, the loss needs no
scale: D. Kalamkar et al., "A study of BFLOAT16 for deep learning training", arXiv:1905.12322.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from distgrad.backend import Array, Namespace, array_namespace
from distgrad.backend.dtypes import DType, data_type, is_floating
from distgrad.errors import UsageError
from distgrad.flat import FlatLayout
from distgrad.nn import Parameter
from distgrad.tensor import Tensor

__all__ = ["HalfPrecision", "LossScale", "half_type"]


def half_type(precision: str, xp: Namespace) -> DType | None:
    """Return the data type of the copy; None for "fp32", where there is none.

    Raises:
        UsageError: If the type is not installed, or the device has it not.
        ValueError: If there is no such precision.
    """
    if precision not in ("fp32", "fp16", "bf16"):
        raise ValueError(f"precision must be 'fp32', 'fp16' or 'bf16', got {precision!r}")
    if precision != "bf16":
        return None if precision == "fp32" else np.dtype(np.float16)
    dtype = data_type("bfloat16")
    try:
        xp.zeros(1, dtype)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f'precision "bf16": CuPy {xp.__version__} has no bfloat16, which came with version 14; '
            'update it, or use "fp16", whose loss is scaled'
        ) from error
    return dtype


class LossScale:
    """What the loss is multiplied with, so that small gradients do not vanish in 16 bits.

    It is halved whenever a gradient overflows, and doubled after 2,000 steps in a row in which
    none has, as PyTorch's ``GradScaler`` does. Powers of 2 change no digit of a gradient. Losses
    are sums here: so it begins with less, and for large micro-batches comes to be below 1.

    Attributes:
        value: The scale of the next step; at first 1024.
        good_steps: How many steps there were since it changed.

    Example:
        >>> scale = LossScale()
        >>> scale.follow(finite=False)
        >>> scale.value
        512.0
    """

    LEAST = 2.0**-16
    """What overflows even with this scale is none of its doing."""

    GROWTH_INTERVAL = 2000

    def __init__(self) -> None:
        self.value = 1024.0
        self.good_steps = 0

    def follow(self, finite: bool) -> None:
        """Change as a step says whose gradients were finite, or were not."""
        self.good_steps = self.good_steps + 1 if finite else 0
        if not finite:
            self.value = max(self.value / 2, self.LEAST)
        elif self.good_steps == self.GROWTH_INTERVAL:
            self.value, self.good_steps = self.value * 2, 0

    def state_dict(self) -> dict[str, Any]:
        """Return what the next steps depend on."""
        return {"value": self.value, "good_steps": self.good_steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        self.value, self.good_steps = float(state["value"]), int(state["good_steps"])


class HalfPrecision:
    """Lets a model compute in 16 bits inside a block.

    Args:
        layout: Where each parameter lies.
        parameters: The parameters, in the order of the layout.
        values: The flat array in which they lie.
        dtype: The data type of 16 bits.

    Attributes:
        active: Whether the parameters are the copy now.
        scale: What the loss is multiplied with; None in bfloat16.
    """

    def __init__(
        self, layout: FlatLayout, parameters: list[Parameter], values: Array, dtype: DType
    ) -> None:
        self._parameters = parameters
        self._values = values
        self._dtype = dtype
        half = FlatLayout(layout.segments, dtype, layout.size)
        self._copy = half.zeros(array_namespace(values))
        self._views = half.views(self._copy)
        self.active = False
        self.scale = LossScale() if dtype == np.float16 else None

    def refresh(self) -> None:
        """Bring the copy up to date."""
        self._copy[...] = self._values

    @contextmanager
    def worn(self) -> Iterator[None]:
        """Let the parameters be the copy."""
        own = [parameter.data for parameter in self._parameters]
        for parameter, view in zip(self._parameters, self._views, strict=True):
            parameter.data = view
        self.active = True
        try:
            yield
        finally:
            self.active = False
            for parameter, array in zip(self._parameters, own, strict=True):
                parameter.data = array

    def narrow(self, value: Any) -> Any:
        """Return what the model is given with its floats in 16 bits."""
        return _converted(value, self._dtype)

    def widen(self, value: Any) -> Any:
        """Return what the model gives with its floats in float32."""
        return _converted(value, np.dtype(np.float32))


def _converted(value: Any, dtype: DType) -> Any:
    """Convert the floating-point Tensors in nested tuples, lists and dicts."""
    if isinstance(value, Tensor):
        return value.to(dtype) if is_floating(value.dtype) else value
    if isinstance(value, tuple | list):
        parts = [_converted(part, dtype) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {key: _converted(part, dtype) for key, part in value.items()}
    return value
