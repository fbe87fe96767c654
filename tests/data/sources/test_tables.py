import sys

import numpy as np
import pytest

from distgrad.data import breast_cancer, data_sha256, diabetes
from distgrad.errors import UsageError

SOURCES = {"diabetes": (diabetes, 442, 10), "breast_cancer": (breast_cancer, 569, 30)}


@pytest.fixture
def original():
    datasets = pytest.importorskip("sklearn.datasets")
    return lambda name: getattr(datasets, f"load_{name}")(return_X_y=True)


@pytest.mark.parametrize("name", SOURCES)
def test_shapes_and_types(name, original):
    source, total, features = SOURCES[name]
    train, test = source()
    assert (len(train), len(test)) == (total - round(total / 5), round(total / 5))
    for part in (train, test):
        x, y = part.arrays["x"], part.arrays["y"]
        assert (x.shape, x.dtype) == ((len(part), features), np.float32)
        if name == "diabetes":
            assert (y.shape, y.dtype) == ((len(part), 1), np.float32)
        else:
            assert (y.shape, y.dtype) == ((len(part),), np.int64)
            assert set(y.tolist()) == {0, 1}


@pytest.mark.parametrize("name", SOURCES)
def test_the_training_part_is_standardised(name, original):
    train, test = SOURCES[name][0]()
    columns = [train.arrays["x"]] + [train.arrays["y"]] * (name == "diabetes")
    for values in columns:
        np.testing.assert_allclose(values.mean(0, dtype=np.float64), 0, atol=1e-6)
        np.testing.assert_allclose(values.std(0, dtype=np.float64), 1, atol=1e-6)
    assert np.abs(test.arrays["x"].mean(0)).max() > 0.01  # by the other part's numbers


@pytest.mark.parametrize("name", SOURCES)
def test_the_parts_make_up_the_whole(name, original):
    """The same map of each column leads from the original to both parts together."""
    inputs, targets = original(name)
    parts = SOURCES[name][0](test_fraction=0.3)
    x = np.concatenate([part.arrays["x"] for part in parts])
    y = np.concatenate([part.arrays["y"] for part in parts])
    for column, expected in zip(x.T, inputs.T, strict=True):
        slope, shift = np.polyfit(np.sort(column), np.sort(expected), 1)
        np.testing.assert_allclose(np.sort(column) * slope + shift, np.sort(expected), atol=1e-3)
    if name == "breast_cancer":
        assert y.sum() == targets.sum()
    together = np.corrcoef(y.ravel(), x[:, 2])[0, 1]  # each target stands beside its inputs
    assert together == pytest.approx(np.corrcoef(targets, inputs[:, 2])[0, 1], abs=1e-6)


@pytest.mark.parametrize("name", SOURCES)
def test_the_same_seed_gives_the_same_bytes(name, original):
    def hashes(seed):
        return [data_sha256(part) for part in SOURCES[name][0](split_seed=seed)]

    assert hashes(0) == hashes(0)
    assert hashes(0) != hashes(1)


def test_a_part_without_samples_is_refused(original):
    with pytest.raises(ValueError, match=r"test_fraction 1.0 of 442 samples leaves .* both parts"):
        diabetes(test_fraction=1.0)


@pytest.mark.parametrize("name", SOURCES)
def test_without_scikit_learn_the_extra_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(UsageError, match=rf"the {name} dataset .* 'distgrad\[datasets\]'`"):
        SOURCES[name][0]()
