"""Self-attention over sequences."""

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn import functional
from distgrad.nn.linear import Linear
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["CausalSelfAttention"]


class CausalSelfAttention(Module):
    """Attention of each position to those up to it, by several heads side by side.

    One linear map makes queries, keys and values, another one mixes what the heads return. Initial
    values are those of `Linear`.

    Args:
        embed_dim: Features of each position; divisible by ``num_heads``.
        num_heads: Number of heads.
        dropout: Probability with which, in training, an attention weight is set to 0. Default: 0.
        bias: Whether the two maps have one. Default: True.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        in_proj.weight [3 * embed_dim, embed_dim], of queries, keys and values in that order;
        out_proj.weight [embed_dim, embed_dim];
        input [N, T, embed_dim], output the same.

    Raises:
        ValueError: If ``num_heads`` does not divide ``embed_dim``, or ``dropout`` is not a
            probability; in a call, if the input has another shape.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.CausalSelfAttention(8, num_heads=2)
        >>> layer(dg.randn(1, 5, 8)).shape
        (1, 5, 8)

    Reference:
        A. Vaswani et al., "Attention is all you need", NIPS 2017.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        if num_heads < 1 or embed_dim % num_heads:
            raise ValueError(
                f"num_heads {num_heads} does not divide embed_dim {embed_dim}; each head takes "
                "embed_dim / num_heads features"
            )
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout must be from 0 to 1, got {dropout}")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.in_proj = Linear(embed_dim, 3 * embed_dim, bias, dtype)
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Return what each position gathers from those up to it."""
        if input.ndim != 3 or input.shape[2] != self.embed_dim:
            raise ValueError(
                f"CausalSelfAttention: the input must have shape (N, T, {self.embed_dim}), got "
                f"{input.shape}"
            )
        samples, length, width = input.shape
        heads = (samples, length, 3, self.num_heads, width // self.num_heads)
        together = self.in_proj(input).reshape(heads)
        query, key, value = (together[:, :, part].transpose(1, 2) for part in range(3))
        gathered = functional.scaled_dot_product_attention(
            query, key, value, dropout_p=self.dropout if self.training else 0.0, is_causal=True
        )
        output: Tensor = self.out_proj(gathered.transpose(1, 2).reshape(input.shape))
        return output

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"{self.embed_dim}, num_heads={self.num_heads}, dropout={self.dropout}"
