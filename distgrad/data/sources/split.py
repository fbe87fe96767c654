"""Training and test samples."""

from typing import NamedTuple

from distgrad.data.dataset import TensorDataset, random_split

__all__ = ["Split", "split_at_random"]


class Split(NamedTuple):
    """What a source returns: the samples to train on and those to test on."""

    train: TensorDataset
    test: TensorDataset


def split_at_random(dataset: TensorDataset, test_fraction: float, seed: int) -> Split:
    """Deal the samples of ``dataset`` out by a permutation drawn from ``seed``.

    Raises:
        ValueError: If ``test_fraction`` leaves either part without a sample.
    """
    total = len(dataset)
    held_out = round(total * test_fraction)
    if not 0 < held_out < total:
        raise ValueError(
            f"test_fraction {test_fraction} of {total} samples leaves {held_out} for the test; it "
            "must leave at least 1 in both parts, as 0.2 does"
        )
    test, train = (
        TensorDataset(**{name: array[part.indices] for name, array in dataset.arrays.items()})
        for part in random_split(dataset, [held_out, total - held_out], seed)
    )
    return Split(train, test)
