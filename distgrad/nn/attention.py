"""Attention over sequences."""

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn import functional, init
from distgrad.nn.functional.heads import merge_heads, split_heads
from distgrad.nn.linear import Linear
from distgrad.nn.module import Module
from distgrad.nn.parameter import Parameter
from distgrad.tensor import Tensor

__all__ = ["CausalSelfAttention", "MultiheadAttention"]


class MultiheadAttention(Module):
    """What each query gathers from values, weighed by how well their keys answer it.

    Linear maps make queries, keys and values for several heads; one more mixes what the heads
    gather. Weights of the maps begin as `init.xavier_uniform_` draws them (that of ``out_proj`` as
    in `Linear`), biases as 0, ``bias_k`` and ``bias_v`` by `init.xavier_normal_`: as in PyTorch.

    Args:
        embed_dim: Features E of a query and of the output; divisible by ``num_heads``.
        num_heads: Number of heads.
        dropout: Probability with which, in training, an attention weight is set to 0. Default: 0.
        bias: Whether the maps have one. Default: True.
        add_bias_kv: Whether one more key and value are learned. Default: False.
        add_zero_attn: Whether one more key and value of zeros are looked at. Default: False.
        kdim: Features of a key. Default: ``embed_dim``.
        vdim: Features of a value. Default: ``embed_dim``.
        batch_first: Whether the samples lie along the first axis; they lie along the second by
            default.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        in_proj_weight [3 * E, E], of queries, keys and values in that order; if ``kdim`` or
        ``vdim`` differ from E instead of it q_proj_weight [E, E], k_proj_weight [E, kdim],
        v_proj_weight [E, vdim]; in_proj_bias [3 * E], out_proj.weight [E, E], out_proj.bias [E],
        bias_k and bias_v [1, 1, E];
        query [L, N, E], key [S, N, kdim], value [S, N, vdim], or with ``batch_first`` [N, L, E],
        [N, S, kdim], [N, S, vdim], or without a batch [L, E], [S, kdim], [S, vdim];
        output as the query.

    Raises:
        ValueError: If a size is not positive, or ``num_heads`` does not divide ``embed_dim``; in a
            call, if shapes do not fit.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.MultiheadAttention(8, num_heads=2, batch_first=True)
        >>> x = dg.randn(3, 5, 8)
        >>> output, weights = layer(x, x, x)
        >>> output.shape, weights.shape
        ((3, 5, 8), (3, 5, 5))

    Reference:
        A. Vaswani et al., "Attention is all you need", NIPS 2017.
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        _check_heads(embed_dim, num_heads)
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn
        packed = self.kdim == self.vdim == embed_dim
        shapes: dict[str, tuple[int, ...] | None] = {
            "q_proj_weight": None if packed else (embed_dim, embed_dim),
            "k_proj_weight": None if packed else (embed_dim, self.kdim),
            "v_proj_weight": None if packed else (embed_dim, self.vdim),
            "in_proj_weight": (3 * embed_dim, embed_dim) if packed else None,
            "in_proj_bias": (3 * embed_dim,) if bias else None,
        }
        self._register_empty(shapes, dtype)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, dtype)
        extra = (1, 1, embed_dim) if add_bias_kv else None
        self._register_empty({"bias_k": extra, "bias_v": extra}, dtype)
        self._reset_parameters()

    def _register_empty(self, shapes: dict[str, tuple[int, ...] | None], dtype: DTypeLike) -> None:
        for name, shape in shapes.items():
            self.register_parameter(
                name, None if shape is None else Parameter(np.empty(shape, dtype))
            )

    def _reset_parameters(self) -> None:
        weights = self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        for weight in weights:
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return what the queries gather, and the attention weights if they are needed.

        Args:
            query: See the shapes of the layer.
            key: What queries are compared with.
            value: What is gathered.
            key_padding_mask: [N, S], or [S] without a batch: true for a key that is not to be
                looked at; or terms that are added to its scores.
            need_weights: Return the weights too, [N, L, S]; without them it is faster. Default:
                True.
            attn_mask: [L, S] or [N * num_heads, L, S]: true where a query must not look at a key;
                or terms that are added to the scores.
            average_attn_weights: Return the mean of the weights over the heads, and not those of
                each, [N, num_heads, L, S]. Default: True.
            is_causal: Says that ``attn_mask`` lets query i look at keys 0 to i only; then it need
                not be read.
        """
        swapped = self.batch_first and query.ndim == 3
        if swapped:
            turned = {id(x): x.transpose(0, 1) for x in (query, key, value)}
            query, key, value = turned[id(query)], turned[id(key)], turned[id(value)]
        output, weights = functional.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            self.training,
            key_padding_mask,
            need_weights,
            attn_mask,
            use_separate_proj_weight=self.in_proj_weight is None,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return output.transpose(0, 1) if swapped else output, weights


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear`, under the name that PyTorch's ``repr`` gives the last map of an attention."""


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
        _check_heads(embed_dim, num_heads)
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
        query, key, value = split_heads(self.in_proj(input), self.num_heads, parts=3)
        gathered = functional.scaled_dot_product_attention(
            query, key, value, dropout_p=self.dropout if self.training else 0.0, is_causal=True
        )
        output: Tensor = self.out_proj(merge_heads(gathered))
        return output

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"{self.embed_dim}, num_heads={self.num_heads}, dropout={self.dropout}"


def _check_heads(embed_dim: int, num_heads: int) -> None:
    if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
        raise ValueError(
            f"num_heads {num_heads} does not divide embed_dim {embed_dim}; each head takes "
            "embed_dim / num_heads features, at least 1"
        )
