"""The form of a batch: what a recorded micro-batch takes for granted of it."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from distgrad.tensor import Tensor

__all__ = ["form_of"]


def form_of(batch: Any, form_of_tensor: Callable[[Tensor], Hashable | None]) -> Hashable | None:
    """Return what tells the form of a batch from others; None if that cannot be told.

    Args:
        batch: Tensors that were not computed from others, texts and numbers, and tuples, lists and
            mappings of them.
        form_of_tensor: Called with each Tensor, in order.
    """
    if isinstance(batch, Tensor):
        return None if batch.node is not None else form_of_tensor(batch)
    if isinstance(batch, tuple | list):
        forms = [form_of(part, form_of_tensor) for part in batch]
        return None if None in forms else (type(batch), *forms)
    if isinstance(batch, Mapping):
        parts = {name: form_of(part, form_of_tensor) for name, part in batch.items()}
        return None if None in parts.values() else (type(batch), *parts.items())
    if batch is None or isinstance(batch, str | int | float):
        return type(batch), repr(batch)  # 0.0 is not -0.0, and nan is nan
    return None
