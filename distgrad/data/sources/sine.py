"""The sine curve."""

import numpy as np

from distgrad.backend import Stream, philox
from distgrad.data.checks import checked_integer, checked_seed
from distgrad.data.dataset import TensorDataset
from distgrad.data.sources.split import Split

__all__ = ["sine"]


def sine(samples: int = 1024, test_samples: int = 256, noise: float = 0.0, seed: int = 0) -> Split:
    """Return points of the curve y = sin(x), with x uniform in [-2 pi, 2 pi].

    ``x`` and ``y`` are float32 of shape (n, 1).

    Args:
        samples: Number of points to train on.
        test_samples: Number of points to test on.
        noise: Standard deviation of the normal noise on the ``y`` of the training points; the
            test points lie on the curve.
        seed: From 0 to 2**64 - 1.

    Raises:
        ValueError: If a number of samples is not positive, if ``noise`` is negative, or if the
            seed does not fit.

    Example:
        >>> train, test = sine(samples=100, test_samples=20)
        >>> train[:].x.shape, len(test)
        ((100, 1), 20)
    """
    if not 0 <= noise < float("inf"):
        raise ValueError(f"noise is a standard deviation: a finite number from 0 up, got {noise}")
    return Split(
        train=_points("samples", samples, noise, seed, part=0),
        test=_points("test_samples", test_samples, 0.0, seed, part=1),
    )


def _points(name: str, count: int, noise: float, seed: int, part: int) -> TensorDataset:
    shape = (checked_integer(name, count, minimum=1), 1)
    # Word 1, because word 0 is that of splits: the split of these points must not depend on them.
    generator = philox(checked_seed(seed), Stream.DATA, 1, part)
    x = generator.uniform(-2 * np.pi, 2 * np.pi, shape).astype(np.float32)
    # In float64, so that the last bit does not depend on the machine's float32 sine.
    y = np.sin(x, dtype=np.float64) + noise * generator.standard_normal(shape)
    return TensorDataset(x=x, y=y.astype(np.float32))
