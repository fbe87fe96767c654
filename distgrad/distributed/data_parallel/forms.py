"""The form of a batch: what a recorded micro-batch takes for granted of it."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from distgrad.backend import Array
from distgrad.tensor import Tensor

__all__ = ["form_of"]


def form_of(batch: Any, arrays: list[Array]) -> Hashable | None:
    """Return what tells the form of a batch from others; None if that cannot be told.

    Args:
        batch: Tensors of NumPy's arrays, texts and numbers, and tuples, lists and mappings of them.
        arrays: The arrays are added to it, in order.
    """
    if isinstance(batch, Tensor):
        array = batch.data
        if type(array) is not np.ndarray or batch.node is not None:
            return None
        arrays.append(array)
        return array.shape, array.dtype, array.strides
    if isinstance(batch, tuple | list):
        forms = [form_of(part, arrays) for part in batch]
        return None if None in forms else (type(batch), *forms)
    if isinstance(batch, Mapping):
        parts = {name: form_of(part, arrays) for name, part in batch.items()}
        return None if None in parts.values() else (type(batch), *parts.items())
    if batch is None or isinstance(batch, str | int | float):
        return type(batch), batch
    return None
