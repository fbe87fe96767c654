import re

import numpy as np
import pytest

from distgrad.data import data_sha256, mackey_glass
from distgrad.data.sources.mackey_glass import _series


def test_shapes_and_types():
    split = mackey_glass(length=300, context=8, horizon=3, test_fraction=0.3)
    assert [len(part) for part in split] == [200, 80]
    for part in split:
        x, y = part.arrays["x"], part.arrays["y"]
        assert (x.shape[1:], y.shape[1:]) == ((8, 1), (1,))
        assert x.dtype == y.dtype == np.float32


def test_what_is_told_lies_the_horizon_ahead():
    train = mackey_glass(length=300, context=8, horizon=3).train
    x, y = train.arrays["x"][:, :, 0], train.arrays["y"][:, 0]
    np.testing.assert_array_equal(x[1:, 0], x[:-1, 1])  # the next sample is one number on
    np.testing.assert_array_equal(y[:-3], x[3:, -1])


def test_the_parts_have_no_number_in_common():
    split = mackey_glass(length=300, context=8, horizon=3)
    train, test = ({*part.arrays["x"].flat, *part.arrays["y"].flat} for part in split)
    assert not train & test


def test_the_scale_is_that_of_the_training_part():
    x = mackey_glass(length=1000, context=1, horizon=1).train.arrays["x"]
    assert abs(x.mean()) < 0.01
    assert abs(x.std() - 1) < 0.01


def test_the_series_solves_the_equation():
    """While the delayed value is still the first one, the solution has a closed form."""
    rest = 0.2 * 1.2 / (1 + 1.2**10) / 0.1
    times = np.arange(18)
    expected = rest + (1.2 - rest) * np.exp(-0.1 * times)
    np.testing.assert_allclose(_series(18, 17, settling=0), expected, rtol=1e-5)


def test_always_the_same_bytes():
    hashes = [data_sha256(part) for part in mackey_glass(length=200)]
    assert hashes == [data_sha256(part) for part in mackey_glass(length=200)]
    assert len({*hashes}) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, "length must be an integer of at least 1, got 0"),
        ({"context": 0}, "context must be an integer of at least 1, got 0"),
        ({"horizon": -1}, "horizon must be an integer of at least 1, got -1"),
        ({"delay": 0}, "delay must be an integer of at least 1, got 0"),
        (
            {"length": 100, "test_fraction": 0.3},
            "test_fraction 0.3 of a length of 100 leaves 70 numbers to train on and 30 to test on; "
            "a sample of context 32 and horizon 6 takes 38",
        ),
        ({"test_fraction": 1.5}, "leaves -2000 numbers to train on and 6000 to test on"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        mackey_glass(**options)
