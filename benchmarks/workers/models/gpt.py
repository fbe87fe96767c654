"""A decoder-only transformer that predicts the next token: distgrad's own `GPT`, and its equals."""

from collections.abc import Callable
from typing import Any

import numpy as np

LOSS = "cross_entropy"


def samples(
    rng: np.random.Generator, count: int, *, context: int, vocabulary: int, **_: Any
) -> tuple[Any, Any]:
    """Return sequences (count, context), and of each token the next one."""
    text = rng.integers(0, vocabulary, (count, context + 1))
    return np.ascontiguousarray(text[:, :-1]), np.ascontiguousarray(text[:, 1:])


def in_distgrad(**sizes: Any) -> Any:
    """Return the model."""
    from distgrad.training.models import GPT

    return GPT(**sizes)


def in_torch(**sizes: Any) -> Any:
    """Return the same model."""
    from workers.models.torch_gpt import GPT

    return GPT(**sizes)


def shapes(
    *, layers: int, width: int, context: int, vocabulary: int, **_: Any
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters."""
    linear = {
        "attention.in_proj": (3 * width, width),
        "attention.out_proj": (width, width),
        "grow": (4 * width, width),
        "shrink": (width, 4 * width),
    }
    found: dict[str, tuple[int, ...]] = {
        "tokens.weight": (vocabulary, width),
        "positions.weight": (context, width),
        "norm.weight": (width,),
        "norm.bias": (width,),
    }
    for layer in range(layers):
        block = f"blocks.{layer}"
        for name, shape in linear.items():
            found[f"{block}.{name}.weight"] = shape
            found[f"{block}.{name}.bias"] = shape[:1]
        for norm in ("attention_norm", "perceptron_norm"):
            found[f"{block}.{norm}.weight"] = found[f"{block}.{norm}.bias"] = (width,)
    return found


def in_jax(**sizes: Any) -> Callable[[Any, Any], Any]:
    """Return the same function of parameters and inputs."""
    from workers.models.jax_gpt import gpt

    return gpt(sizes["layers"], sizes["heads"])


def in_chainer(**sizes: Any) -> Callable[[Any, Any], Any]:
    """Return the same function of parameters and inputs."""
    from workers.models.chainer_gpt import gpt

    return gpt(sizes["layers"], sizes["heads"], sizes["context"])
