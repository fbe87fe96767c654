"""distgrad's `GPT` in torch, with its fused attention; without the dropout, which is 0 there."""

import torch
import torch.nn.functional as F
from torch import nn


class GPT(nn.Module):
    """Scores (N, T, vocabulary) of the tokens that follow those of sequences (N, T)."""

    def __init__(self, layers: int, width: int, heads: int, context: int, vocabulary: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the scores."""
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        return F.linear(self.norm(self.blocks(x)), self.tokens.weight)


class Block(nn.Module):
    """Attention and a perceptron, each behind a normalisation, added to what they are given."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = CausalSelfAttention(width, heads)
        self.perceptron_norm = nn.LayerNorm(width)
        self.grow = nn.Linear(width, 4 * width)
        self.gelu = nn.GELU()
        self.shrink = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``x`` with both branches added."""
        x = x + self.attention(self.attention_norm(x))
        output: torch.Tensor = x + self.shrink(self.gelu(self.grow(self.perceptron_norm(x))))
        return output


class CausalSelfAttention(nn.Module):
    """Attention of each position to those up to it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what each position gathers from those up to it."""
        samples, length, width = x.shape
        heads = self.in_proj(x).view(samples, length, 3, self.heads, width // self.heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        gathered = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        output: torch.Tensor = self.out_proj(gathered.transpose(1, 2).reshape(x.shape))
        return output
