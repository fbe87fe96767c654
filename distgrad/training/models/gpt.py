"""`GPT`: a decoder-only transformer."""

import math
from typing import Annotated

from pydantic import Field, PositiveInt

import distgrad.nn.functional as F
from distgrad import nn
from distgrad.creation import arange
from distgrad.nn import init
from distgrad.tensor import Tensor
from distgrad.training.facts import FromRun

__all__ = ["GPT"]

_STD = 0.02


class GPT(nn.Module):
    """Scores for the token that follows each token of a sequence.

    Token and position embeddings are added; blocks of causal self-attention and a two-layer
    perceptron follow, each behind a layer normalisation and added to what it was given; a last
    normalisation, and the token embedding once more as the output layer. A. Radford et al.,
    "Language models are unsupervised multitask learners", 2019, with its initial values: normal
    with a standard deviation of 0.02, that of the layers which end a residual branch divided by
    sqrt(2 layers), and biases of 0.

    Args:
        layers: Number of blocks.
        width: Features of each token; divisible by ``heads``.
        heads: Attention heads of a block.
        context: Length of the longest sequence. Default: that of the data.
        vocabulary: Number of tokens. Default: that of the data.
        dropout: Probability with which, in training, a feature behind the embeddings, behind a
            branch, or an attention weight is set to 0.

    Shapes:
        input [N, T] of integers, T at most ``context``; output [N, T, vocabulary].

    Raises:
        ValueError: If ``heads`` does not divide ``width``, or if ``context`` or ``vocabulary`` is
            missing; in a call, if a sequence is too long.

    Example:
        >>> import distgrad as dg
        >>> model = GPT(layers=2, width=16, heads=2, context=8, vocabulary=5)
        >>> model(dg.tensor([[0, 3, 1], [4, 4, 2]])).shape
        (2, 3, 5)
    """

    def __init__(
        self,
        layers: PositiveInt = 4,
        width: PositiveInt = 128,
        heads: PositiveInt = 4,
        context: Annotated[PositiveInt | None, FromRun] = None,
        vocabulary: Annotated[PositiveInt | None, FromRun] = None,
        dropout: Annotated[float, Field(ge=0, le=1)] = 0.0,
    ) -> None:
        super().__init__()
        if context is None or vocabulary is None:
            raise ValueError("needs context and vocabulary: the longest sequence, and the tokens")
        self.context = context
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.Sequential(*(Block(width, heads, dropout) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self._initialise(_STD / math.sqrt(2 * layers))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the scores of all tokens to come next, for each place."""
        length = tokens.shape[1]
        if length > self.context:
            raise ValueError(
                f"a sequence of {length} tokens is longer than the context of {self.context}; give "
                "the last tokens only"
            )
        x = self.dropout(self.tokens(tokens) + self.positions(arange(length, device=tokens.device)))
        return F.linear(self.norm(self.blocks(x)), self.tokens.weight)

    def _initialise(self, branch_std: float) -> None:
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                init.zeros_(parameter)
            elif parameter.ndim == 2:
                ends_branch = name.endswith(("out_proj.weight", "shrink.weight"))
                init.normal_(parameter, std=branch_std if ends_branch else _STD)


class Block(nn.Module):
    """Self-attention and a perceptron, each behind a normalisation, added to what they are given.

    Args:
        width: Features of each token.
        heads: Attention heads.
        dropout: As in `GPT`.

    Shapes:
        input [N, T, width], output the same.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = nn.CausalSelfAttention(width, heads, dropout)
        self.perceptron_norm = nn.LayerNorm(width)
        self.grow = nn.Linear(width, 4 * width)
        self.gelu = nn.GELU()
        self.shrink = nn.Linear(4 * width, width)
        self.add = nn.DropoutAdd(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` with both branches added."""
        x = self.add(self.attention(self.attention_norm(x)), x)
        hidden = self.gelu(self.grow(self.perceptron_norm(x)))
        output: Tensor = self.add(self.shrink(hidden), x)
        return output
