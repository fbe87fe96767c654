"""What data a run has seen, as one hash."""

from distgrad.backend import arrays_sha256
from distgrad.data.dataset import TensorDataset

__all__ = ["data_sha256"]


def data_sha256(dataset: TensorDataset) -> str:
    """Return the SHA-256 of a dataset's content, in hexadecimal.

    The content is the arrays as they are kept, before anything that is done to them batch by batch
    (``dataset.content``). For each array, in the dataset's order, the hash takes a line with its
    name (its position if it has none), data type and shape, and then its values as little-endian
    bytes in C order. It does not depend on the machine's byte order or on how the arrays lie in
    memory.

    Raises:
        TypeError: If ``dataset`` is not a `TensorDataset`: only there all bytes are at hand.

    Example:
        >>> import numpy as np
        >>> dataset = TensorDataset(x=np.zeros((2, 3), np.float32))
        >>> data_sha256(dataset)[:16]
        '2895a786f4d6dce0'
    """
    if not isinstance(dataset, TensorDataset):
        raise TypeError(
            f"data_sha256 needs a TensorDataset, got {type(dataset).__name__}; take all its "
            "samples into one"
        )
    return arrays_sha256(dataset.content.items())
