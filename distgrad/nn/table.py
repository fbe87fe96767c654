"""`Table`: vectors by number, which `Embedding` and `EmbeddingBag` look up."""

import numpy as np
from numpy.typing import DTypeLike

from distgrad.autograd import no_grad
from distgrad.backend import Array, array_namespace
from distgrad.nn import functional, init
from distgrad.nn.functional.embedding import limit_rows, limited, refuse_sparse
from distgrad.nn.parameter import Parameter
from distgrad.nn.statistics import RunningStatistics
from distgrad.tensor import Tensor

__all__ = ["Table", "shape_of_table"]


class Table(RunningStatistics):
    """Base of layers with a table of vectors.

    Args:
        num_embeddings: Rows of the table.
        embedding_dim: Length of each vector.
        padding_idx: A row that is 0 at first; a negative number counts from the end.
        max_norm: The norm that rows are scaled to if they are named and longer.
        norm_type: The order of that norm.
        scale_grad_by_freq: Whether a row's gradient is divided by how often it is named.
        sparse: Whether gradients are to be sparse, which is refused.
        dtype: Data type of the table.
        weight: The table, where there is one.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
        sparse: bool,
        dtype: DTypeLike,
        weight: Tensor | None,
    ) -> None:
        super().__init__()
        refuse_sparse(type(self).__name__, sparse)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"padding_idx {padding_idx} names no row of {num_embeddings}; use "
                f"{-num_embeddings} to {num_embeddings - 1}"
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        if weight is None:
            self.weight = Parameter(np.empty((num_embeddings, embedding_dim), dtype))
            self.reset_parameters()
        else:
            self.weight = Parameter(weight)

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0

    def look_up(self, input: Tensor) -> Tensor:
        """Return the vectors of numbers, scaled where they are too long."""
        at_once = self.training and self.recorded is None
        vectors = functional.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm if at_once else None,
            self.norm_type,
            self.scale_grad_by_freq,
        )
        if at_once or self.max_norm is None:
            return vectors
        if self.recorded is not None:
            self.observe(array_namespace(input.data).unique(input.data))
        # The values of the scaled rows, with the gradient of the rows.
        given = vectors.detach()
        scaled: Tensor = vectors - given + limited(given.data, self.max_norm, self.norm_type)
        return scaled

    @property
    def follows_batches(self) -> bool:
        """Whether lookups change the table."""
        return self.max_norm is not None

    def update_statistics(self, *statistics: Array) -> None:
        """Scale the rows that were looked up and are too long, in place."""
        assert self.max_norm is not None
        limit_rows(self.weight, statistics[0], self.max_norm, self.norm_type)


def shape_of_table(name: str, embeddings: Tensor) -> tuple[int, int]:
    """Return the rows and the width of a given table."""
    if embeddings.ndim != 2:
        raise ValueError(f"{name}: needs shape (rows, width), got {embeddings.shape}")
    return embeddings.shape[0], embeddings.shape[1]
