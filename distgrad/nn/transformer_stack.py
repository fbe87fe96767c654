"""The encoder and the decoder of a transformer: layers one after another."""

from copy import deepcopy
from typing import Any

from distgrad.autograd import is_grad_enabled
from distgrad.backend import to_host
from distgrad.functional import where
from distgrad.nn.container import ModuleList
from distgrad.nn.functional.attention_mask import added_terms, hides_the_future
from distgrad.nn.module import Module
from distgrad.nn.transformer_layer import TransformerEncoderLayer
from distgrad.tensor import Tensor

__all__ = ["TransformerDecoder", "TransformerEncoder"]


class TransformerEncoder(Module):
    """Layers one after another, each with the same masks, and a last normalisation.

    Args:
        encoder_layer: The layer, a `TransformerEncoderLayer` or one that is called like it; it is
            copied, so all layers begin with its values.
        num_layers: Number of copies.
        norm: What follows them, or None.
        enable_nested_tensor: In evaluation, give out 0 at padded places, as PyTorch does where it
            leaves them out: without gradients, with a left-aligned ``src_key_padding_mask`` and no
            other mask, for layers with ``batch_first``, biases, relu or gelu, an even number of
            heads, and the normalisation behind the sum. Default: True.
        mask_check: Whether that asks for a left-aligned mask. Default: True.

    Shapes:
        Those of the layer.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.TransformerEncoderLayer(8, nhead=2, batch_first=True)
        >>> dg.nn.TransformerEncoder(layer, num_layers=2)(dg.randn(3, 5, 8)).shape
        (3, 5, 8)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Return what the last layer makes of ``src``.

        Args:
            src: See the shapes of the layer.
            mask: As ``attn_mask`` of `MultiheadAttention`.
            src_key_padding_mask: As ``key_padding_mask`` there.
            is_causal: Says whether ``mask`` hides what comes later, and nothing else; None looks.
        """
        terms = added_terms("mask", mask, src.dtype)
        padding = added_terms("src_key_padding_mask", src_key_padding_mask, src.dtype)
        if is_causal is None:
            is_causal = hides_the_future(terms, _length(src, self.layers))
        output = src
        for layer in self.layers:
            output = layer(
                output, src_mask=terms, is_causal=is_causal, src_key_padding_mask=padding
            )
        if padding is not None and terms is None and self._leaves_padding_out(src, padding):
            output = where((padding == 0).unsqueeze(-1), output, 0.0)
        return output if self.norm is None else self.norm(output)

    def _leaves_padding_out(self, src: Tensor, padding: Tensor) -> bool:
        """Say whether PyTorch would compute with tensors nested by sample."""
        layer: Any = self.layers[0]
        if not self.enable_nested_tensor or layer.training or src.ndim != 3:
            return False
        if not isinstance(layer, TransformerEncoderLayer) or not layer.can_be_fused():
            return False
        if is_grad_enabled() and any(x.requires_grad for x in (src, *layer.parameters())):
            return False
        kept = padding.data == 0
        return not self.mask_check or bool(to_host((kept[:, 1:] <= kept[:, :-1]).all()))


class TransformerDecoder(Module):
    """Layers one after another, each with the same memory and masks, and a last normalisation.

    Args:
        decoder_layer: The layer, a `TransformerDecoderLayer` or one that is called like it; it is
            copied, so all layers begin with its values.
        num_layers: Number of copies.
        norm: What follows them, or None.

    Shapes:
        Those of the layer.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.TransformerDecoderLayer(8, nhead=2, batch_first=True)
        >>> decoder = dg.nn.TransformerDecoder(layer, num_layers=2)
        >>> decoder(dg.randn(3, 4, 8), dg.randn(3, 5, 8)).shape
        (3, 4, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return what the last layer makes of ``tgt``.

        The arguments are those of `TransformerDecoderLayer`; where ``tgt_is_causal`` is None, it is
        found by looking at ``tgt_mask``.
        """
        if tgt_is_causal is None:
            tgt_is_causal = hides_the_future(tgt_mask, _length(tgt, self.layers))
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=tgt_is_causal,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList([deepcopy(layer) for _ in range(count)])


def _length(sequence: Tensor, layers: ModuleList) -> int:
    """Return the number of places of a sequence, [T, E] or with a batch."""
    first: Any = layers[0]
    return sequence.shape[1 if sequence.ndim == 3 and first.self_attn.batch_first else 0]
