"""Embedding tables."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from distgrad.autograd import no_grad
from distgrad.nn import functional, init
from distgrad.nn.module import Module
from distgrad.nn.parameter import Parameter
from distgrad.tensor import Tensor

__all__ = ["Embedding"]


class Embedding(Module):
    """A table of vectors, looked up by number.

    Args:
        num_embeddings: Rows of the table.
        embedding_dim: Length of each vector.
        padding_idx: A row that is 0 at first and whose gradient is always 0; a negative number
            counts from the end. Default: None.
        dtype: Data type of the table. Default: float32.

    Initial values are normal with mean 0 and variance 1, as in PyTorch.

    Shapes:
        weight [num_embeddings, embedding_dim];
        input ``[*]`` of integers, output ``[*, embedding_dim]``.

    Raises:
        ValueError: If ``padding_idx`` names no row.
        IndexError: In a call, if an integer names no row.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Embedding(10, 3)(dg.tensor([[1, 2, 4]])).shape
        (1, 3, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"padding_idx {padding_idx} names no row of {num_embeddings}; use "
                f"{-num_embeddings} to {num_embeddings - 1}"
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0

    def forward(self, input: Tensor) -> Tensor:
        """Return the vectors of the numbers in the input."""
        return functional.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Return the arguments."""
        arguments: list[Any] = [self.num_embeddings, self.embedding_dim]
        if self.padding_idx is not None:
            arguments.append(f"padding_idx={self.padding_idx}")
        return ", ".join(map(str, arguments))
