"""Handwritten digits: scikit-learn's small scans."""

import numpy as np

from distgrad.data.dataset import TensorDataset
from distgrad.data.sources.bundled import bundled
from distgrad.data.sources.split import Split, split_at_random

__all__ = ["digits"]


def digits(test_fraction: float = 0.2, split_seed: int = 0) -> Split:
    """Return the 1797 scans of 8 x 8 pixels that come with scikit-learn.

    ``x`` is float32 of shape (n, 64), grey levels from 0 to 1 row by row; ``y`` is int64 of shape
    (n,), the digit. The data is the test set of E. Alpaydin and C. Kaynak, "Optical Recognition of
    Handwritten Digits", UCI Machine Learning Repository, 1998.

    Args:
        test_fraction: Share of the samples that is held out, rounded to a whole number.
        split_seed: Names the permutation by which they are chosen.

    Raises:
        UsageError: If scikit-learn is not installed.
        ValueError: If ``test_fraction`` leaves either part without a sample.

    Example:
        >>> train, test = digits()
        >>> len(train), len(test), train[0].x.shape
        (1438, 359, (64,))
    """
    pixels, labels = bundled("digits")
    x = np.asarray(pixels / 16, np.float32)
    return split_at_random(
        TensorDataset(x=x, y=np.asarray(labels, np.int64)), test_fraction, split_seed
    )
