"""The layers of a transformer: attention and a perceptron, each added to what it is given."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn import functional
from distgrad.nn.activation import GELU
from distgrad.nn.attention import MultiheadAttention
from distgrad.nn.dropout import Dropout
from distgrad.nn.functional.attention_mask import added_terms
from distgrad.nn.linear import Linear
from distgrad.nn.module import Module
from distgrad.nn.normalization import LayerNorm
from distgrad.nn.rectifier import ReLU
from distgrad.tensor import Tensor

__all__ = ["Activation", "TransformerDecoderLayer", "TransformerEncoderLayer"]

Activation: TypeAlias = str | Callable[[Tensor], Tensor]

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
}


class _TransformerLayer(Module):
    """What both layers share: branches of attention, a perceptron, a normalisation for each."""

    _attentions: ClassVar[tuple[str, ...]]
    self_attn: MultiheadAttention
    norm1: LayerNorm
    norm2: LayerNorm
    dropout1: Dropout
    dropout2: Dropout

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = functional.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        for name in self._attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype
            )
            self.add_module(name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype)
        self.norm_first = norm_first
        branches = range(1, len(self._attentions) + 2)
        for branch in branches:
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
            self.add_module(f"norm{branch}", norm)
        for branch in branches:
            self.add_module(f"dropout{branch}", Dropout(dropout))
        self.activation = _found(activation)

    def _add(self, x: Tensor, norm: Module, branch: Callable[..., Tensor], *args: Any) -> Tensor:
        """Return ``x`` with a branch added, normalised before the branch or behind the sum."""
        if self.norm_first:
            return x + branch(norm(x), *args)
        output: Tensor = norm(x + branch(x, *args))
        return output

    def _sa_block(
        self,
        x: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        gathered, _ = self.self_attn(
            x,
            x,
            x,
            attn_mask=attn_mask,
            key_padding_mask=key_padding_mask,
            is_causal=is_causal,
            need_weights=False,
        )
        output: Tensor = self.dropout1(gathered)
        return output

    def _perceptron(self, x: Tensor) -> Tensor:
        output: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return output


def _found(activation: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(activation, str):
        return activation
    if activation not in _ACTIVATIONS:
        raise RuntimeError(
            f"activation should be {' or '.join(map(repr, _ACTIVATIONS))}, or a function of a "
            f"Tensor, not {activation!r}"
        )
    return _ACTIVATIONS[activation]


class TransformerEncoderLayer(_TransformerLayer):
    """Self-attention, then a perceptron of two layers; each is added to what it is given.

    Args:
        d_model: Features E of each place; divisible by ``nhead``.
        nhead: Number of heads.
        dim_feedforward: Features between the perceptron's layers. Default: 2048.
        dropout: Probability with which, in training, an attention weight, a feature between the
            perceptron's layers, or a feature of what is added is set to 0. Default: 0.1.
        activation: "relu", "gelu", or a function or module. Default: "relu".
        layer_norm_eps: Of the normalisations. Default: 1e-5.
        batch_first: Whether the samples lie along the first axis; they lie along the second by
            default.
        norm_first: Normalise what a branch is given, as R. Xiong et al. do ("On layer normalization
            in the transformer architecture", ICML 2020), and not the sum. Default: False.
        bias: Whether linear maps and normalisations have one. Default: True.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        input [S, N, E], or with ``batch_first`` [N, S, E], or without a batch [S, E]; output the
        same.

    Raises:
        ValueError: If ``nhead`` does not divide ``d_model``, or ``dropout`` is not a probability.
        RuntimeError: If there is no activation of that name.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.TransformerEncoderLayer(8, nhead=2, batch_first=True)
        >>> layer(dg.randn(3, 5, 8)).shape
        (3, 5, 8)

    Reference:
        A. Vaswani et al., "Attention is all you need", NIPS 2017.
    """

    _attentions = ("self_attn",)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Return ``src`` with both branches added.

        Args:
            src: See the shapes of the layer.
            src_mask: As ``attn_mask`` of `MultiheadAttention`.
            src_key_padding_mask: As ``key_padding_mask`` there.
            is_causal: As there.
        """
        mask = added_terms("src_mask", src_mask, src.dtype)
        padding = added_terms("src_key_padding_mask", src_key_padding_mask, src.dtype)
        x = self._add(src, self.norm1, self._sa_block, mask, padding, is_causal)
        return self._add(x, self.norm2, self._ff_block)

    def can_be_fused(self) -> bool:
        """Say whether PyTorch has one function for a layer like this, used in evaluation."""
        attention = self.self_attn
        return (
            not self.norm_first
            and attention.batch_first
            and attention.in_proj_bias is not None
            and attention.num_heads % 2 == 0
            and self.norm1.eps == self.norm2.eps
            and (
                self.activation in _ACTIVATIONS.values() or isinstance(self.activation, ReLU | GELU)
            )
        )

    def _ff_block(self, x: Tensor) -> Tensor:
        output: Tensor = self.dropout2(self._perceptron(x))
        return output


class TransformerDecoderLayer(_TransformerLayer):
    """Self-attention, attention to an encoder's output, then a perceptron; each is added.

    Arguments, their defaults and errors are those of `TransformerEncoderLayer`.

    Shapes:
        tgt [T, N, E] and memory [S, N, E], or with ``batch_first`` [N, T, E] and [N, S, E], or
        without a batch [T, E] and [S, E]; output as tgt.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.TransformerDecoderLayer(8, nhead=2, batch_first=True)
        >>> layer(dg.randn(3, 4, 8), dg.randn(3, 5, 8)).shape
        (3, 4, 8)
    """

    _attentions = ("self_attn", "multihead_attn")
    multihead_attn: MultiheadAttention
    norm3: LayerNorm
    dropout3: Dropout

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return ``tgt`` with the three branches added.

        Args:
            tgt: See the shapes of the layer.
            memory: What the encoder returns.
            tgt_mask: Of the self-attention, as ``attn_mask`` of `MultiheadAttention`.
            memory_mask: Of the attention to ``memory``: [T, S] or [N * num_heads, T, S].
            tgt_key_padding_mask: Of the self-attention, as ``key_padding_mask`` there.
            memory_key_padding_mask: Of the attention to ``memory``: [N, S] or [S].
            tgt_is_causal: Says that ``tgt_mask`` hides what comes later, and nothing else.
            memory_is_causal: The same of ``memory_mask``.
        """
        own = tgt_mask, tgt_key_padding_mask, tgt_is_causal
        other = memory, memory_mask, memory_key_padding_mask, memory_is_causal
        x = self._add(tgt, self.norm1, self._sa_block, *own)
        x = self._add(x, self.norm2, self._mha_block, *other)
        return self._add(x, self.norm3, self._ff_block)

    def _mha_block(
        self,
        x: Tensor,
        mem: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        gathered, _ = self.multihead_attn(
            x,
            mem,
            mem,
            attn_mask=attn_mask,
            key_padding_mask=key_padding_mask,
            is_causal=is_causal,
            need_weights=False,
        )
        output: Tensor = self.dropout2(gathered)
        return output

    def _ff_block(self, x: Tensor) -> Tensor:
        output: Tensor = self.dropout3(self._perceptron(x))
        return output
