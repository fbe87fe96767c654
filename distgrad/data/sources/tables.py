"""Tables of patients, from scikit-learn: one to regress on, one to classify."""

import numpy as np
from numpy.typing import DTypeLike

from distgrad.backend import Array
from distgrad.data.dataset import TensorDataset
from distgrad.data.sources.bundled import bundled
from distgrad.data.sources.split import Split, split_at_random

__all__ = ["breast_cancer", "diabetes"]


def diabetes(test_fraction: float = 0.2, split_seed: int = 0) -> Split:
    """Return ten measurements of each of 442 patients, and how their diabetes progressed in a year.

    ``x`` is float32 of shape (n, 10), ``y`` float32 of shape (n, 1). All columns, that of ``y``
    too, are given in standard deviations from the mean, both of the training samples; so a mean
    squared error of 1 is that of guessing the mean. The data is that of B. Efron et al., "Least
    angle regression", Annals of Statistics 32 (2004).

    Args:
        test_fraction: Share of the samples that is held out, rounded to a whole number.
        split_seed: Names the permutation by which they are chosen.

    Raises:
        UsageError: If scikit-learn is not installed.
        ValueError: If ``test_fraction`` leaves either part without a sample.

    Example:
        >>> train, test = diabetes()
        >>> len(train), len(test), train[0].x.shape
        (354, 88, (10,))
    """
    inputs, targets = bundled("diabetes")
    samples = TensorDataset(x=inputs, y=targets[:, np.newaxis])
    return _standardized(split_at_random(samples, test_fraction, split_seed), x="f4", y="f4")


def breast_cancer(test_fraction: float = 0.2, split_seed: int = 0) -> Split:
    """Return thirty measurements of each of 569 tumours, and whether they are malignant or benign.

    ``x`` is float32 of shape (n, 30), each column in standard deviations from the mean, both of the
    training samples; ``y`` is int64 of shape (n,), 0 for malignant and 1 for benign. The data is
    that of W. Street et al., "Nuclear feature extraction for breast tumor diagnosis", 1993.

    Args:
        test_fraction: Share of the samples that is held out, rounded to a whole number.
        split_seed: Names the permutation by which they are chosen.

    Raises:
        UsageError: If scikit-learn is not installed.
        ValueError: If ``test_fraction`` leaves either part without a sample.

    Example:
        >>> train, test = breast_cancer()
        >>> len(train), len(test), train[0].x.shape
        (455, 114, (30,))
    """
    inputs, targets = bundled("breast_cancer")
    samples = TensorDataset(x=inputs, y=np.asarray(targets, np.int64))
    return _standardized(split_at_random(samples, test_fraction, split_seed), x="f4")


def _standardized(split: Split, **dtypes: DTypeLike) -> Split:
    """Return the named columns in standard deviations from the mean, both of the training part."""

    def changed(part: TensorDataset, name: str) -> Array:
        if name not in dtypes:
            return part.arrays[name]
        known = split.train.arrays[name]
        return ((part.arrays[name] - known.mean(0)) / known.std(0)).astype(dtypes[name])

    train, test = (
        TensorDataset(**{name: changed(part, name) for name in part.arrays}) for part in split
    )
    return Split(train, test)
