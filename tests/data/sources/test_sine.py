import numpy as np
import pytest

from distgrad.data import data_sha256, random_split, sine


def test_shapes_types_and_range():
    split = sine(samples=500, test_samples=100)
    assert len(split.train) == 500
    assert len(split.test) == 100
    for dataset in split:
        x, y = dataset.take(range(len(dataset)))
        assert x.shape == y.shape == (len(dataset), 1)
        assert x.dtype == y.dtype == np.float32
        assert np.abs(x.data).max() <= np.float32(2 * np.pi)
        np.testing.assert_allclose(y.data, np.sin(x.data.astype(np.float64)), atol=6e-8)


def test_points_are_uniform():
    stats = pytest.importorskip("scipy.stats")
    x = sine(samples=5000).train.arrays["x"].ravel()
    assert stats.kstest(x, stats.uniform(-2 * np.pi, 4 * np.pi).cdf).pvalue > 0.01


def test_the_same_seed_gives_the_same_bytes():
    def hashes(seed):
        return [data_sha256(part) for part in sine(samples=50, test_samples=50, seed=seed)]

    assert hashes(1) == hashes(1)
    assert len({*hashes(1), *hashes(2)}) == 4


def test_noise_is_on_the_training_points_only():
    plain, noisy = sine(samples=5000), sine(samples=5000, noise=0.1)
    assert data_sha256(plain.test) == data_sha256(noisy.test)
    np.testing.assert_array_equal(plain.train.arrays["x"], noisy.train.arrays["x"])
    noise = noisy.train.arrays["y"] - plain.train.arrays["y"]
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 0.1) < 0.005


def test_a_split_of_the_points_does_not_depend_on_them():
    train = sine(samples=2000).train
    left, _ = random_split(train, [1000, 1000], seed=0)
    x = train.arrays["x"].ravel()
    assert abs(np.corrcoef(x[:1000], left.indices)[0, 1]) < 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0}, "samples must be an integer of at least 1, got 0"),
        ({"test_samples": -1}, "test_samples must be an integer of at least 1, got -1"),
        ({"noise": -0.1}, "noise is a standard deviation: a finite number from 0 up, got -0.1"),
        ({"noise": float("nan")}, "a finite number from 0 up, got nan"),
        ({"seed": -1}, "seed must be an integer of at least 0, got -1"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        sine(**options)
