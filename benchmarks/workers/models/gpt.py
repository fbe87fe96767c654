"""A decoder-only transformer that predicts the next token: distgrad's own `GPT`, and its equal."""

from typing import Any

import numpy as np


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
