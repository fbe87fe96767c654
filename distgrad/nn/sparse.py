"""Embedding tables."""

from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn.functional.embedding_bag import reduced_bags
from distgrad.nn.table import Table, shape_of_table
from distgrad.tensor import Tensor

__all__ = ["Embedding", "EmbeddingBag"]


class Embedding(Table):
    """A table of vectors, looked up by number.

    Args:
        num_embeddings: Rows of the table.
        embedding_dim: Length of each vector.
        padding_idx: A row that is 0 at first and whose gradient is always 0; a negative number
            counts from the end. Default: None.
        max_norm: Rows that are named and longer are scaled to this norm, which is not
            differentiated. In training the table itself is changed: at once, as in PyTorch, or
            under `DataParallel.accumulate` when the step is done, on every rank alike. Default:
            None.
        norm_type: The order of that norm. Default: 2.
        scale_grad_by_freq: Divide a row's gradient by how often the input names it. Default: False.
        sparse: False: there are no sparse gradients.
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
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        dtype: DTypeLike = np.float32,
        *,
        _weight: Tensor | None = None,
    ) -> None:
        limits = (max_norm, norm_type, scale_grad_by_freq, sparse)
        super().__init__(num_embeddings, embedding_dim, padding_idx, *limits, dtype, _weight)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """Make a layer around a given table, whose memory it shares.

        Args:
            embeddings: The table, (rows, width).
            freeze: Whether the table is not learned. Default: True.
            padding_idx: This and the others as in the constructor.
            max_norm: See there.
            norm_type: See there.
            scale_grad_by_freq: See there.
            sparse: See there.

        Raises:
            ValueError: If the table is not a matrix.

        Example:
            >>> import distgrad as dg
            >>> layer = dg.nn.Embedding.from_pretrained(dg.tensor([[1.0, 2.0], [3.0, 4.0]]))
            >>> layer(dg.tensor([1])).tolist()
            [[3.0, 4.0]]
        """
        rows, width = shape_of_table("Embedding.from_pretrained", embeddings)
        limits = (max_norm, norm_type, scale_grad_by_freq, sparse)
        layer = cls(rows, width, padding_idx, *limits, _weight=embeddings)
        layer.weight.requires_grad_(not freeze)
        return layer

    def forward(self, input: Tensor) -> Tensor:
        """Return the vectors of the numbers in the input."""
        return self.look_up(input)

    def extra_repr(self) -> str:
        """Return the arguments that are not left at their defaults."""
        return ", ".join(
            [str(self.num_embeddings), str(self.embedding_dim), *_shown(self, *_DEFAULTS)]
        )


class EmbeddingBag(Table):
    """A table of vectors, of which each bag of numbers gives the sum, the mean or the maximum.

    Args:
        num_embeddings: Rows of the table.
        embedding_dim: Length of each vector.
        max_norm: As in `Embedding`; and so are ``norm_type``, ``scale_grad_by_freq``, ``sparse``.
        norm_type: See there.
        scale_grad_by_freq: See there; not for "max".
        mode: "sum", "mean" or "max". Default: "mean".
        sparse: See there.
        include_last_offset: The last of the offsets is where the last bag ends. Default: False.
        padding_idx: A number that does not count, and whose row is 0 at first. Default: None.
        dtype: Data type of the table. Default: float32.

    Shapes:
        weight [num_embeddings, embedding_dim];
        input [B, N] of integers, or [N] with offsets [B]; output [B, embedding_dim].

    Raises:
        ValueError: If ``padding_idx`` names no row; in a call, if the shapes or offsets do not fit.
        IndexError: In a call, if an integer names no row.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.EmbeddingBag(10, 3, mode="sum")
        >>> layer(dg.tensor([1, 2, 4]), offsets=dg.tensor([0, 2])).shape
        (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        dtype: DTypeLike = np.float32,
        *,
        _weight: Tensor | None = None,
    ) -> None:
        if mode == "max" and scale_grad_by_freq:
            raise ValueError("EmbeddingBag: scale_grad_by_freq is for 'sum' and 'mean' only")
        limits = (max_norm, norm_type, scale_grad_by_freq, sparse)
        super().__init__(num_embeddings, embedding_dim, padding_idx, *limits, dtype, _weight)
        self.mode = mode
        self.include_last_offset = include_last_offset

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """Make a layer around a given table, whose memory it shares.

        Arguments are those of the constructor; ``freeze`` says that the table is not learned.

        Raises:
            ValueError: If the table is not a matrix.
        """
        rows, width = shape_of_table("EmbeddingBag.from_pretrained", embeddings)
        how = (max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset)
        layer = cls(rows, width, *how, padding_idx, _weight=embeddings)
        layer.weight.requires_grad_(not freeze)
        return layer

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        """Return a vector for each bag, 0 for an empty one."""
        where = (offsets, self.include_last_offset, self.padding_idx)
        return reduced_bags(self.look_up, input, self.mode, per_sample_weights, *where)

    def extra_repr(self) -> str:
        """Return the arguments that are not left at their defaults."""
        sizes = [str(self.num_embeddings), str(self.embedding_dim)]
        limits = _shown(self, "max_norm", "norm_type", "scale_grad_by_freq")
        return ", ".join([*sizes, *limits, f"mode={self.mode!r}", *_shown(self, "padding_idx")])


_DEFAULTS = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False}


def _shown(table: Table, *names: str) -> list[str]:
    values = {name: getattr(table, name) for name in names}
    return [f"{name}={value}" for name, value in values.items() if value != _DEFAULTS[name]]
