"""Data of which single samples make a step go wrong: not a number, or labels that do not count."""

import numpy as np

from distgrad.data import Split, TensorDataset


def _split(x: np.ndarray, y: np.ndarray) -> Split:
    return Split(TensorDataset(x=x, y=y), TensorDataset(x=x[:7], y=np.abs(y[:7]) % 3))


def _samples(number: int = 70) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.random((number, 4), dtype=np.float32), generator.integers(3, size=number)


def not_a_number() -> Split:
    """One sample of 70, not among those for tests, is not a number."""
    x, y = _samples()
    x[50] = np.nan
    return _split(x, y)


def nothing_but() -> Split:
    """All samples but those for tests are not numbers."""
    x, y = _samples()
    split = _split(x.copy(), y)
    x[:] = np.nan
    return Split(TensorDataset(x=x, y=y), split.test)


def one_label() -> Split:
    """One sample of 70 has a label that counts."""
    x, y = _samples()
    split = _split(x, y)
    labels = np.full_like(y, -100)
    labels[11] = 2
    return Split(TensorDataset(x=x, y=labels), split.test)
