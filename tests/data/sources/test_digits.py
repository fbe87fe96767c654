import subprocess
import sys

import numpy as np
import pytest

from distgrad.data import data_sha256, digits
from distgrad.errors import UsageError


@pytest.fixture
def load_digits():
    return pytest.importorskip("sklearn.datasets").load_digits


def test_shapes_types_and_range(load_digits):
    train, test = digits()
    assert (len(train), len(test)) == (1438, 359)
    for dataset in (train, test):
        x, y = dataset.take(range(len(dataset)))
        assert x.shape == (len(dataset), 64)
        assert x.dtype == np.float32
        assert (x.data.min(), x.data.max()) == (0, 1)
        assert y.dtype == np.int64
        assert sorted(set(y.tolist())) == list(range(10))


def test_the_parts_make_up_the_whole(load_digits):
    pixels, labels = load_digits(return_X_y=True)
    expected = sorted((*row, label) for row, label in zip(pixels, labels, strict=True))
    found = [
        (*row, label)
        for part in digits()
        for row, label in zip(part.arrays["x"] * 16, part.arrays["y"], strict=True)
    ]
    assert sorted(found) == expected


def test_the_same_seed_gives_the_same_bytes(load_digits):
    def hashes(seed):
        return [data_sha256(part) for part in digits(split_seed=seed)]

    assert hashes(0) == hashes(0)
    assert hashes(0) != hashes(1)


def test_the_test_fraction_is_rounded(load_digits):
    assert len(digits(test_fraction=0.5).test) == 898


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, 1e-5])
def test_a_part_without_samples_is_refused(load_digits, fraction):
    message = f"test_fraction {fraction} of 1797 samples leaves .* at least 1 in both parts"
    with pytest.raises(ValueError, match=message):
        digits(test_fraction=fraction)


def test_a_bad_seed_is_refused(load_digits):
    with pytest.raises(ValueError, match="seed must be an integer of at least 0, got -1"):
        digits(split_seed=-1)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(UsageError, match=r"run `pip install 'distgrad\[datasets\]'`"):
        digits()


def test_scikit_learn_is_loaded_only_when_asked_for():
    look = "import sys, distgrad.data; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], timeout=60, check=False).returncode == 0
