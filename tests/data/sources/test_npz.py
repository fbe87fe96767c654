import zipfile

import numpy as np
import pytest

from distgrad.data import data_sha256, npz
from distgrad.errors import UsageError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 4)), RNG.integers(0, 3, 30)
TEST_X, TEST_Y = RNG.normal(size=(7, 4)), RNG.integers(0, 3, 7)


@pytest.fixture
def saved(tmp_path):
    def save(**arrays):
        path = tmp_path / "data.npz"
        np.savez(path, **arrays)
        return str(path)

    return save


@pytest.fixture
def path(saved):
    return saved(x=X, y=Y, x_test=TEST_X, y_test=TEST_Y)


class TestSource:
    def test_training_and_test_arrays(self, path):
        split = npz(path)
        for part, x, y in [(split.train, X, Y), (split.test, TEST_X, TEST_Y)]:
            batch = part.take(range(len(part)))
            assert (batch.x.dtype, batch.y.dtype) == (np.float32, np.int64)
            np.testing.assert_array_equal(batch.x.data, x.astype(np.float32))
            np.testing.assert_array_equal(batch.y.data, y)

    def test_a_test_fraction(self, path):
        train, test = npz(path, test_fraction=0.2)
        assert (len(train), len(test)) == (24, 6)
        found = sorted(map(tuple, np.concatenate([train.arrays["x"], test.arrays["x"]])))
        assert found == sorted(map(tuple, X))
        assert data_sha256(npz(path, test_fraction=0.2).train) == data_sha256(train)
        again = npz(path, test_fraction=0.2, split_seed=1).train
        assert data_sha256(again) != data_sha256(train)

    def test_names(self, saved):
        path = saved(images=X, labels=Y, held_images=TEST_X, held_labels=TEST_Y)
        names = {"x": "images", "y": "labels", "x_test": "held_images", "y_test": "held_labels"}
        train, test = npz(path, **names)
        assert (len(train), len(test)) == (30, 7)
        assert train[0]._fields == ("x", "y")

    def test_compressed_files(self, tmp_path):
        np.savez_compressed(tmp_path / "data.npz", x=X, y=Y)
        assert len(npz(str(tmp_path / "data.npz"), test_fraction=0.5).train) == 15

    @pytest.mark.parametrize(
        ("y", "x_dtype", "expected"),
        [
            (Y.astype(np.uint8), "float32", np.int64),
            (Y > 1, "float32", np.int64),
            (Y.astype(np.float64), "float32", np.float32),
            (Y.astype(np.float16), "float64", np.float64),
            (Y.astype(np.float64), "int64", np.float32),
        ],
    )
    def test_data_types(self, saved, y, x_dtype, expected):
        path = saved(x=RNG.integers(0, 9, (30, 4), np.uint8), y=y)
        batch = npz(path, test_fraction=0.5, x_dtype=x_dtype).train.take([0, 3])
        assert batch.x.dtype == x_dtype
        assert batch.y.dtype == expected

    def test_arrays_stay_as_in_the_file(self, saved):
        path = saved(x=np.zeros((10, 2, 2), np.uint8), y=np.zeros(10, np.uint8))
        train = npz(path, test_fraction=0.5).train
        assert [array.dtype.name for array in train.arrays.values()] == ["uint8", "uint8"]


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        for name, array in (("x", X), ("y", Y), ("x_test", TEST_X), ("y_test", TEST_Y)):
            np.save(tmp_path / f"{name}.npy", array)
        return tmp_path

    def test_gives_what_a_file_gives(self, folder, path):
        for mapped, read in zip(npz(str(folder)), npz(path), strict=True):
            assert data_sha256(mapped) == data_sha256(read)
            for rows in ([3, 1, 3], range(2, 5)):
                for part, expected in zip(mapped.take(rows), read.take(rows), strict=True):
                    assert part.dtype == expected.dtype
                    np.testing.assert_array_equal(part.data, expected.data)

    def test_is_mapped_and_cannot_be_changed(self, folder):
        inputs = npz(str(folder), x_dtype="float64").train
        array = inputs.arrays["x"]
        assert type(array) is np.ndarray
        assert isinstance(array.base, np.memmap)
        assert not array.flags.writeable
        assert np.shares_memory(inputs.take(range(4)).x.data, array)  # rows that follow each other
        assert not np.shares_memory(inputs.take([0, 2]).x.data, array)

    def test_a_missing_array(self, folder):
        (folder / "y.npy").unlink()
        with pytest.raises(UsageError, match="has no array y, only x, x_test, y_test"):
            npz(str(folder))

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"text", "array x is damaged"),
            (np.array([None, X], object), "array x holds pickled Python objects"),
            (np.where(X[3, 2] == X, np.nan, X), "has nan at .3, 2., which cannot be trained on"),
        ],
    )
    def test_bad_files(self, folder, content, message):
        file = folder / "x.npy"
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            np.save(file, content)
        with pytest.raises(UsageError, match=message):
            npz(str(folder))


class TestRefusals:
    def refused(self, path, **options):
        with pytest.raises(UsageError) as raised:
            npz(path, **options)
        return str(raised.value)

    def test_a_missing_array(self, saved):
        path = saved(a=X, b=Y)
        assert f"{path}: has no array x, only a, b; name one of them" in self.refused(path)
        assert "has no array c, only a, b" in self.refused(path, x="a", y="c")

    def test_nothing_to_test_on(self, saved):
        path = saved(x=X, y=Y)
        message = "has no arrays x_test and y_test to test on, only x, y; name them by x_test and "
        assert message + "y_test, or hold samples out by test_fraction = 0.2" in self.refused(path)

    def test_half_of_the_test_arrays(self, saved):
        path = saved(x=X, y=Y, x_test=TEST_X)
        assert "has no array y_test, only x, x_test, y" in self.refused(path)

    def test_lengths(self, saved):
        path = saved(x=X, y=Y[:-1])
        message = "array x has 30 samples and array y has 29, but each input needs a target"
        assert message in self.refused(path)

    def test_objects_are_never_loaded(self, saved):
        path = saved(x=np.array([X, None], object), y=Y[:2])
        message = f"{path}: array x holds pickled Python objects, which could run any program"
        assert message in self.refused(path)

    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.array(["a"] * 30), "array x is <U1 of shape (30,), but must hold real numbers"),
            (X * 1j, "array x is complex128 of shape (30, 4), but must hold real numbers"),
            (np.float64(1), "array x is float64 of shape (), but needs a first axis of at least 1"),
            (X[:0], "array x is float64 of shape (0, 4), but needs a first axis"),
            (
                np.where(X[3, 2] == X, np.nan, X),
                "and has nan at [3, 2], which cannot be trained on",
            ),
            (np.where(X[0, 1] == X, -np.inf, X), "and has -inf at [0, 1]"),
        ],
    )
    def test_what_is_no_number(self, saved, array, message):
        assert message in self.refused(saved(x=array, y=Y), test_fraction=0.5)

    def test_other_files(self, tmp_path):
        path = tmp_path / "x.npz"
        for content in (b"", b"x,y\n1,2\n", b"PK\x03\x04 but no more"):
            path.write_bytes(content)
            message = f"{path}: is no .npz file, or not all of one; write it by numpy.savez"
            assert message in self.refused(str(path))
        np.save(tmp_path / "x.npy", X)
        assert "x.npy: is no .npz file" in self.refused(str(tmp_path / "x.npy"))

    @pytest.mark.parametrize("writer", [np.savez, np.savez_compressed])
    def test_damaged_files(self, tmp_path, writer):
        path = tmp_path / "x.npz"
        writer(path, x=X, y=Y)
        content = bytearray(path.read_bytes())
        content[200:260] = bytes(60)
        path.write_bytes(content)
        assert f"{path}: array x is damaged (" in self.refused(str(path), test_fraction=0.5)

    def test_a_member_that_is_no_array(self, tmp_path):
        path = tmp_path / "x.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", b"\x93NUMPY\x01\x00\x10\x00not a header at all")
            archive.writestr("y.npy", b"text")
        assert "array x is damaged (" in self.refused(str(path))

    def test_a_missing_file(self, tmp_path):
        assert "there is no such file" in self.refused(str(tmp_path / "none.npz"))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"test_fraction": 0.0}, "test_fraction 0.0 of 30 samples leaves 0 for the test"),
            ({"x_dtype": "int8"}, "x_dtype must be float32, float64 or int64, got 'int8'"),
        ],
    )
    def test_bad_arguments(self, path, options, message):
        with pytest.raises(ValueError, match=message):
            npz(path, **options)
