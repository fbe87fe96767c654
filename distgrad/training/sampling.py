"""Text that a language model writes."""

import numpy as np

from distgrad.autograd import no_grad
from distgrad.backend import Stream, philox, to_device, to_host
from distgrad.data import Split, Vocabulary
from distgrad.errors import UsageError
from distgrad.nn import Module
from distgrad.tensor import Tensor
from distgrad.training.config import SampleConfig
from distgrad.training.samples import vocabulary_of

__all__ = ["check_sample", "sample_text"]


def check_sample(sample: SampleConfig, split: Split) -> None:
    """Refuse what could not be sampled at the end, before any work is done.

    Raises:
        UsageError: If the data is no text, or has not all characters of the prompt.
    """
    vocabulary = vocabulary_of(split)
    if vocabulary is None:
        raise UsageError(
            "sample: the data has no vocabulary to write text with; take [sample] out, or use the "
            'source "text"'
        )
    try:
        vocabulary.encode(sample.prompt)
    except ValueError as error:
        raise UsageError(f"sample.prompt: {error}") from error


def sample_text(
    module: Module,
    vocabulary: Vocabulary,
    context: int,
    sample: SampleConfig,
    seed: int,
    device: str = "cpu",
) -> str:
    """Return the prompt and the characters that follow, each drawn by the model's scores for it.

    Args:
        module: Maps characters (1, T) to scores (1, T, vocabulary); set to evaluation mode
            meanwhile.
        vocabulary: What the numbers of characters stand for.
        context: How many of the last characters the model is given.
        sample: The prompt, the length and the temperature.
        seed: Names the draws.
        device: Where the model lies.
    """
    generator = philox(seed, Stream.SAMPLE)
    ids = vocabulary.encode(sample.prompt).tolist()
    training = module.training
    module.eval()
    try:
        with no_grad():
            for _ in range(sample.length):
                given = Tensor(to_device(np.array([ids[-context:]]), device))
                scores = to_host(module(given).data)[0, -1]
                ids.append(_drawn(scores, sample.temperature, generator))
    finally:
        module.train(training)
    return vocabulary.decode(ids)


def _drawn(scores: np.ndarray, temperature: float, generator: np.random.Generator) -> int:
    """Draw an index by the softmax of scores, through the inverse of its distribution function."""
    scaled = scores.astype(np.float64) / temperature
    cumulative = np.exp(scaled - scaled.max()).cumsum()
    place = np.searchsorted(cumulative, generator.random() * cumulative[-1], side="right")
    return min(int(place), len(cumulative) - 1)
