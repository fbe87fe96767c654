"""distgrad's `GPT` as a function in Chainer; without the dropout, which is 0 there."""

import math
from collections.abc import Callable
from typing import Any

import chainer.functions as F
import numpy as np


def gpt(layers: int, heads: int, context: int) -> Callable[[Any, Any], Any]:
    """Return the function of parameters and tokens (N, T): scores (N, T, vocabulary)."""
    hidden = np.triu(np.full((context, context), -np.inf, np.float32), 1)

    def forward(p: Any, tokens: Any) -> Any:
        samples, length = tokens.shape
        positions = F.broadcast_to(
            p["positions.weight"], (samples, length, p["positions.weight"].shape[1])
        )
        x = F.embed_id(tokens, p["tokens.weight"]) + positions
        # Rows of tokens from here on, which is what its normalisation and linear layers take.
        x = x.reshape(samples * length, -1)
        for layer in range(layers):
            block = f"blocks.{layer}."
            x = x + attention(p, block, normalized(p, f"{block}attention_norm", x), heads, hidden)
            wide = linear(p, f"{block}grow", normalized(p, f"{block}perceptron_norm", x))
            x = x + linear(p, f"{block}shrink", gelu(wide))
        x = normalized(p, "norm", x)
        return F.linear(x, p["tokens.weight"]).reshape(samples, length, -1)

    return forward


def linear(p: Any, name: str, x: Any) -> Any:
    """Apply a linear layer to rows."""
    return F.linear(x, p[f"{name}.weight"], p[f"{name}.bias"])


def normalized(p: Any, name: str, x: Any) -> Any:
    """Apply a layer normalisation to rows."""
    return F.layer_normalization(x, p[f"{name}.weight"], p[f"{name}.bias"], eps=1e-5)


def gelu(x: Any) -> Any:
    """Return x times the probability that a standard normal variable is below it."""
    return 0.5 * x * (1 + F.erf(x * math.sqrt(0.5)))


def attention(p: Any, block: str, x: Any, heads: int, hidden: Any) -> Any:
    """Return what each position gathers from those up to it."""
    length = len(hidden)
    rows, width = x.shape
    projected = linear(p, f"{block}attention.in_proj", x)
    projected = projected.reshape(rows // length, length, 3, heads, width // heads)
    query, key, value = F.separate(F.transpose(projected, (2, 0, 3, 1, 4)), axis=0)
    scores = F.matmul(query, key, transb=True) * (width // heads) ** -0.5
    weights = F.softmax(scores + np.broadcast_to(hidden, scores.shape), axis=3)
    gathered = F.transpose(F.matmul(weights, value), (0, 2, 1, 3)).reshape(rows, width)
    return linear(p, f"{block}attention.out_proj", gathered)
