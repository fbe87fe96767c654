"""Arrays kept small in memory and converted batch by batch."""

from collections.abc import Callable, Mapping
from typing import Any

from distgrad.backend import Array
from distgrad.data.dataset import TensorDataset
from distgrad.tensor import Tensor

__all__ = ["CompactDataset"]


class CompactDataset(TensorDataset):
    """A `TensorDataset` that keeps some arrays in another form than it gives them out.

    Images kept as bytes take a quarter of the memory that they would take as float32, on every
    rank. ``arrays`` holds them as they are kept; samples and batches are converted copies.

    Args:
        conversions: For some of the arrays, by name, the function that makes the part of a batch,
            or of a single sample, of what is kept. It works element by element, always alike.
        **named_arrays: As `TensorDataset` takes them.

    Raises:
        ValueError: As `TensorDataset` does, and if a conversion is for no array.
        TypeError: As `TensorDataset` does.

    Example:
        >>> import numpy as np
        >>> pixels = np.array([[0, 255], [51, 0]], np.uint8)
        >>> dataset = CompactDataset({"x": lambda x: x / np.float32(255)}, x=pixels, y=np.arange(2))
        >>> dataset.take([1, 0]).x
        tensor([[0.2000, 0.0000],
                [0.0000, 1.0000]])
        >>> dataset.arrays["x"].dtype.name
        'uint8'
    """

    def __init__(
        self,
        conversions: Mapping[str, Callable[[Array], Array]],
        /,
        **named_arrays: Array | Tensor,
    ) -> None:
        super().__init__(**named_arrays)
        unknown = sorted(conversions.keys() - named_arrays.keys())
        if unknown:
            raise ValueError(
                f"conversions are for {unknown}, but the arrays are {sorted(named_arrays)}; name "
                "those"
            )
        self.conversions = dict(conversions)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All samples as one batch, converted."""
        return tuple(self[:])

    def _pack(self, parts: list[Array]) -> Any:
        named = zip(self.arrays, parts, strict=True)
        return super()._pack(
            [self.conversions[n](part) if n in self.conversions else part for n, part in named]
        )
