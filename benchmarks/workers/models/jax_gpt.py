"""distgrad's `GPT` as a function in JAX; without the dropout, which is 0 there."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def gpt(layers: int, heads: int) -> Callable[[Any, Any], Any]:
    """Return the function of parameters and tokens (N, T): scores (N, T, vocabulary)."""

    def forward(parameters: Any, tokens: Any) -> Any:
        p = _Parameters(parameters)
        x = p["tokens.weight"][tokens] + p["positions.weight"][: tokens.shape[1]]
        for layer in range(layers):
            block = p.below(f"blocks.{layer}")
            x = x + attention(block, block.normalized("attention_norm", x), heads)
            wide = block.linear("grow", block.normalized("perceptron_norm", x))
            x = x + block.linear("shrink", jax.nn.gelu(wide, approximate=False))
        return p.normalized("norm", x) @ p["tokens.weight"].T

    return forward


class _Parameters:
    """Parameters by name, those below a prefix, and what they compute."""

    def __init__(self, values: Any, prefix: str = "") -> None:
        self._values = values
        self._prefix = prefix

    def __getitem__(self, name: str) -> Any:
        return self._values[self._prefix + name]

    def below(self, prefix: str) -> "_Parameters":
        return _Parameters(self._values, f"{self._prefix}{prefix}.")

    def linear(self, name: str, x: Any) -> Any:
        return x @ self[f"{name}.weight"].T + self[f"{name}.bias"]

    def normalized(self, name: str, x: Any) -> Any:
        centred = x - x.mean(-1, keepdims=True)
        scale = jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)
        return centred * scale * self[f"{name}.weight"] + self[f"{name}.bias"]


def attention(p: _Parameters, x: Any, heads: int) -> Any:
    """Return what each position gathers from those up to it."""
    samples, length, width = x.shape
    projected = p.linear("attention.in_proj", x).reshape(samples, length, 3, heads, -1)
    query, key, value = projected.transpose(2, 0, 3, 1, 4)
    scores = query @ key.swapaxes(-1, -2) * (width // heads) ** -0.5
    seen = jnp.tril(jnp.ones((length, length), bool))
    weights = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf), axis=-1)
    gathered = (weights @ value).transpose(0, 2, 1, 3).reshape(x.shape)
    return p.linear("attention.out_proj", gathered)
