import gzip
import pickle
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.data import GlobalBatches, data_sha256, idx
from distgrad.data.sources.idx import FASHION_MNIST, read_idx
from distgrad.errors import UsageError

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
NAMES = [IMAGES, LABELS, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


def encoded(array, code=0x08):
    return (
        bytes([0, 0, code, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + bytes(array)
    )


def arrays(train=20, test=6):
    rng = np.random.default_rng(0)
    parts = [
        [rng.integers(0, 256, (n, 5, 4), np.uint8), rng.integers(0, 10, n, np.uint8)]
        for n in (train, test)
    ]
    parts[0][0][0, 0, :3] = 0, 255, 51
    return [array for part in parts for array in part]


@pytest.fixture
def folder(tmp_path):
    for name, array in zip(NAMES, arrays(), strict=True):
        (tmp_path / name).write_bytes(encoded(array))
    return tmp_path


def refused(folder, **options):
    with pytest.raises(UsageError) as raised:
        idx(str(folder), **options)
    return str(raised.value)


class TestSource:
    def test_shapes_types_and_values(self, folder):
        for part, (images, labels) in zip(
            idx(str(folder)), [arrays()[:2], arrays()[2:]], strict=True
        ):
            assert len(part) == len(images)
            batch = part.take(range(len(part)))
            assert (batch.x.dtype, batch.y.dtype) == (np.float32, np.int64)
            np.testing.assert_array_equal(batch.x.data[:, 0], np.float32(images) / np.float32(255))
            np.testing.assert_array_equal(batch.y.data, labels)

    def test_one_sample(self, folder):
        sample = idx(str(folder)).train[0]
        assert sample.x.shape == (1, 5, 4)
        assert sample.x.data[0, 0, :3].tolist() == [0, 1, np.float32(0.2)]
        assert sample.y.item() == arrays()[1][0]

    def test_normalisation(self, folder):
        batch = idx(str(folder), mean=0.25, std=0.5).train.take([0])
        expected = (arrays()[0][:1, None] / 255 - 0.25) / 0.5
        np.testing.assert_array_equal(batch.x.data, expected.astype(np.float32))

    def test_compressed_files_are_the_same(self, folder, tmp_path):
        plain = idx(str(folder))
        for name in NAMES:
            (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
            (folder / name).unlink()
        packed = idx(str(folder))
        for a, b in zip(plain, packed, strict=True):
            assert data_sha256(a) == data_sha256(b)
            np.testing.assert_array_equal(a[:].x.data, b[:].x.data)

    def test_images_stay_bytes_in_memory(self, folder):
        stored = idx(str(folder)).train.arrays
        assert stored["x"].dtype == np.uint8
        assert stored["x"].shape == (20, 1, 5, 4)

    def test_the_hash_is_of_the_bytes_and_labels(self, folder):
        def hashes():
            return [data_sha256(part) for part in idx(str(folder))]

        first = hashes()
        assert hashes() == first
        assert data_sha256(idx(str(folder), mean=0.5).train) == first[0]
        changed = arrays()[0]
        changed[3, 2, 1] ^= 1
        (folder / IMAGES).write_bytes(encoded(changed))
        again = hashes()
        assert (again[0] != first[0], again[1] == first[1]) == (True, True)

    def test_windows_can_be_sent_to_another_process(self, folder):
        window = next(iter(GlobalBatches(idx(str(folder)).train, 8, 4)))
        again = pickle.loads(pickle.dumps(window))
        np.testing.assert_array_equal(again.micro_batch(1).x.data, window.micro_batch(1).x.data)

    @pytest.mark.skipif(not Path(FASHION_MNIST).is_dir(), reason="Fashion-MNIST is not installed")
    def test_fashion_mnist(self):
        train, test = idx()
        assert (len(train), len(test)) == (60_000, 10_000)
        assert train.arrays["x"].shape == (60_000, 1, 28, 28)
        for part in (train, test):
            assert np.bincount(part.arrays["y"]).tolist() == [len(part) // 10] * 10


class TestRefusals:
    def test_a_missing_folder_names_the_package(self, tmp_path):
        message = refused(tmp_path / "none")
        assert f"{tmp_path}/none: there is no such folder; it must hold train-images" in message
        assert "apt-get install dataset-fashion-mnist" in message

    def test_without_the_package_the_default_tells_both_ways(self, monkeypatch, tmp_path):
        # The module stands behind the function of the same name.
        module = sys.modules["distgrad.data.sources.idx"]
        monkeypatch.setattr(module, "FASHION_MNIST", str(tmp_path / "none"))
        with pytest.raises(UsageError) as raised:
            idx()
        message = str(raised.value)
        assert f"{tmp_path}/none: there is no such folder" in message
        assert "run `apt-get install dataset-fashion-mnist`, or without root" in message
        assert "`apt-get download dataset-fashion-mnist` and `dpkg -x" in message
        assert f'give folder = "DIR{FASHION_MNIST}"' in message

    @pytest.mark.parametrize("name", NAMES)
    def test_a_missing_file(self, folder, name):
        (folder / name).unlink()
        assert f"{folder}: has no file {name} and no {name}.gz; it needs" in refused(folder)

    def test_another_magic(self, folder):
        (folder / IMAGES).write_bytes(b"PK\x03\x04" + bytes(100))
        message = refused(folder)
        assert f"{folder / IMAGES}: begins with the bytes 50 4b 03 04" in message
        assert "unsigned bytes in 3 dimensions begin with 00 00 08 03; give a file" in message

    def test_another_data_type(self, folder):
        (folder / IMAGES).write_bytes(encoded(arrays()[0], code=0x0D))
        assert "begins with the bytes 00 00 0d 03, but unsigned bytes" in refused(folder)

    def test_other_dimensions(self, folder):
        (folder / LABELS).write_bytes(encoded(arrays()[0]))
        assert "bytes 00 00 08 03, but unsigned bytes in 1 dimensions begin with" in refused(folder)

    def test_a_compressed_file_without_gz_in_its_name(self, folder):
        (folder / IMAGES).write_bytes(gzip.compress(encoded(arrays()[0])))
        assert "begins with the bytes 1f 8b 08" in refused(folder)
        assert "compressed ones with .gz behind the name" in refused(folder)

    @pytest.mark.parametrize("kept", [0, 3, 4, 15])
    def test_a_header_cut_short(self, folder, kept):
        (folder / IMAGES).write_bytes(encoded(arrays()[0])[:kept])
        message = f"{folder / IMAGES}: ends after {kept} bytes, within the header, which has 16; "
        assert message + "copy or download the file again" in refused(folder)

    def test_a_truncated_file(self, folder):
        (folder / IMAGES).write_bytes(encoded(arrays()[0])[:-1])
        message = (
            "the header says 20 x 5 x 4 = 400 bytes of values, but the file has only 399; copy"
        )
        assert f"{folder / IMAGES}: {message}" in refused(folder)

    def test_an_oversized_file(self, folder):
        (folder / LABELS).write_bytes(encoded(arrays()[1]) + b"\0")
        message = "the header says 20 = 20 bytes of values, but the file has more; copy"
        assert f"{folder / LABELS}: {message}" in refused(folder)

    def test_a_header_that_promises_more_than_any_memory(self, folder):
        (folder / IMAGES).write_bytes(b"\0\0\x08\x03" + b"\xff" * 12)
        assert "= 79228162458924105385300197375 bytes of values, but the file has only 0" in (
            refused(folder)
        )

    def test_no_samples(self, folder):
        (folder / IMAGES).write_bytes(encoded(arrays()[0][:0]))
        assert "the header says 0 x 5 x 4 bytes of values, which is none" in refused(folder)

    def test_as_many_labels_as_images(self, folder):
        (folder / LABELS).write_bytes(encoded(arrays()[1][:-2]))
        message = refused(folder)
        assert f"{folder / IMAGES} has 20 images and {folder / LABELS} has 18 labels" in message
        assert "take both files from one data set" in message

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (lambda b: b[: len(b) // 2], "ended before the end-of-stream marker"),
            (lambda b: b[:-8] + bytes(4) + b[-4:], "CRC check failed"),
            (lambda b: b[:10] + b"\xff" + b[11:], "Error -3"),
            (lambda b: b"no gzip at all", "Not a gzipped file"),
        ],
    )
    def test_a_damaged_gzip_file(self, folder, damage, reason):
        whole = gzip.compress(encoded(arrays()[0]))
        (folder / f"{IMAGES}.gz").write_bytes(damage(whole))
        (folder / IMAGES).unlink()
        message = refused(folder)
        assert f"{folder / IMAGES}.gz: is not a whole gzip file (" in message
        assert reason in message

    def test_an_unreadable_file(self, folder, monkeypatch):
        def denied(path, mode):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr("builtins.open", denied)
        assert "images-idx3-ubyte: cannot be read (Permission denied); check the file" in (
            refused(folder)
        )

    @pytest.mark.parametrize(
        "options", [{"std": 0.0}, {"std": -1.0}, {"std": np.inf}, {"mean": np.nan}]
    )
    def test_a_bad_normalisation(self, folder, options):
        with pytest.raises(ValueError, match="mean must be finite and std finite and positive"):
            idx(str(folder), **options)


@given(st.binary(max_size=40), st.booleans(), st.integers(0, 6))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, with_magic, length):
    path = tmp_path_factory.mktemp("idx") / "file"
    header = b"\0\0\x08\x01" + struct.pack(">I", length) if with_magic else b""
    path.write_bytes(header + content)
    if with_magic and length == len(content) > 0:
        assert bytes(read_idx(path, 1)) == content
    else:
        with pytest.raises(UsageError, match=re.escape(str(path))):
            read_idx(path, 1)
