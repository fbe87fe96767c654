"""Distances and angles of vectors as modules."""

from distgrad.nn import functional
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Module):
    """The cosines of the angles between vectors.

    Args:
        dim: The axis of the vectors. Default: 1.
        eps: What a length below it is taken as. Default: 1e-8.

    Shapes:
        x1 [..., D, ...], x2 [..., D, ...], which broadcast; output [..., ...].

    Example:
        >>> import distgrad as dg
        >>> dg.nn.CosineSimilarity()(dg.tensor([[1.0, 1.0]]), dg.tensor([[1.0, 0.0]]))
        tensor([0.7071])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the cosines."""
        return functional.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The norms of ``x1 - x2 + eps`` along the last axis.

    Args:
        p: The order of the norm. Default: 2.
        eps: Keeps the gradient of equal vectors finite. Default: 1e-6.
        keepdim: Keep the last axis with length 1. Default: False.

    Shapes:
        x1 [..., D], x2 [..., D], which broadcast; output [...] or [..., 1].

    Example:
        >>> import distgrad as dg
        >>> dg.nn.PairwiseDistance()(dg.tensor([[3.0, 4.0]]), dg.zeros(1, 2))
        tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return the distances."""
        return functional.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
