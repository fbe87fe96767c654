"""`Transformer`: an encoder and a decoder together."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from distgrad.nn import functional, init
from distgrad.nn.functional.attention_mask import square_subsequent_mask
from distgrad.nn.module import Module
from distgrad.nn.normalization import LayerNorm
from distgrad.nn.transformer_layer import (
    Activation,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)
from distgrad.nn.transformer_stack import TransformerDecoder, TransformerEncoder
from distgrad.tensor import Tensor

__all__ = ["Transformer"]


class Transformer(Module):
    """An encoder of one sequence, and a decoder that makes another one of what it returns.

    Weights of more than one axis begin as `init.xavier_uniform_` draws them, as in PyTorch.

    Args:
        d_model: Features E of each place; divisible by ``nhead``. Default: 512.
        nhead: Number of heads. Default: 8.
        num_encoder_layers: Default: 6.
        num_decoder_layers: Default: 6.
        dim_feedforward: As in `TransformerEncoderLayer`, and so are the arguments from here on.
        dropout: Default: 0.1.
        activation: Default: "relu".
        custom_encoder: Used in place of the `TransformerEncoder`.
        custom_decoder: Used in place of the `TransformerDecoder`.
        layer_norm_eps: Default: 1e-5.
        batch_first: Default: False.
        norm_first: Default: False.
        bias: Default: True.
        dtype: Default: float32.

    Shapes:
        src [S, N, E] and tgt [T, N, E], or with ``batch_first`` [N, S, E] and [N, T, E], or without
        a batch [S, E] and [T, E]; output as tgt.

    Raises:
        RuntimeError: In a call, if batches or numbers of features do not fit.

    Example:
        >>> import distgrad as dg
        >>> model = dg.nn.Transformer(8, 2, 1, 1, dim_feedforward=16, batch_first=True)
        >>> mask = model.generate_square_subsequent_mask(4)
        >>> model(dg.randn(3, 5, 8), dg.randn(3, 4, 8), tgt_mask=mask).shape
        (3, 4, 8)

    Reference:
        A. Vaswani et al., "Attention is all you need", NIPS 2017.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = functional.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        shape = d_model, nhead, dim_feedforward, dropout, activation
        layout = layer_norm_eps, batch_first, norm_first, bias, dtype

        if custom_encoder is None:
            encoder_layer = TransformerEncoderLayer(*shape, *layout)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
            custom_encoder = TransformerEncoder(encoder_layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            decoder_layer = TransformerDecoderLayer(*shape, *layout)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
            custom_decoder = TransformerDecoder(decoder_layer, num_decoder_layers, norm)
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return what the decoder makes of ``tgt`` and of what the encoder makes of ``src``.

        The arguments are those of `TransformerEncoder` and `TransformerDecoder`.
        """
        self._check(src, tgt)
        memory = self.encoder(
            src,
            mask=src_mask,
            src_key_padding_mask=src_key_padding_mask,
            is_causal=src_is_causal,
        )
        output: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return output

    def _check(self, src: Tensor, tgt: Tensor) -> None:
        axis = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[axis] != tgt.shape[axis]:
            raise RuntimeError(
                f"the batch number of src and tgt must be equal: axis {axis} of {src.shape} and of "
                f"{tgt.shape}"
            )
        if not src.shape[-1] == tgt.shape[-1] == self.d_model:
            raise RuntimeError(
                f"the feature number of src and tgt must be equal to d_model = {self.d_model}: the "
                f"last axis of {src.shape} and of {tgt.shape}"
            )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, dtype: DTypeLike = np.float32) -> Tensor:
        """Return the mask [sz, sz] that lets each place look at itself and what comes before it.

        Example:
            >>> Transformer.generate_square_subsequent_mask(2)
            tensor([[0., -inf],
                    [0., 0.]])
        """
        return square_subsequent_mask(sz, dtype)

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)
