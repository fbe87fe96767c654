"""Images in the file format of MNIST, such as Fashion-MNIST."""

import gzip
import os
import struct
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from distgrad.data.compact import CompactDataset
from distgrad.data.sources.files import readable
from distgrad.data.sources.mapped import mapped
from distgrad.data.sources.split import Split
from distgrad.errors import UsageError

__all__ = ["FASHION_MNIST", "idx", "read_idx"]

FASHION_MNIST = "/usr/share/datasets/fashion-mnist"
"""Where Debian's package dataset-fashion-mnist puts its files."""

_UNSIGNED_BYTES = 0x08
_BYTE = np.dtype(np.uint8)
_CHUNK = 1 << 20
_DOWNLOADED = "copy or download the file again"
_PARTS = ("train", "t10k")
_INSTALLATION = (
    "Debian's package dataset-fashion-mnist brings it: run `apt-get install dataset-fashion-mnist`,"
    " or without root `apt-get download dataset-fashion-mnist` and `dpkg -x"
    f' dataset-fashion-mnist_*.deb DIR`, and give folder = "DIR{FASHION_MNIST}"'
)


def idx(folder: str | None = None, mean: float = 0.0, std: float = 1.0) -> Split:
    """Return images and their labels from the four files of MNIST's format.

    ``x`` is float32 of shape (n, 1, rows, columns): grey levels from 0 to 1, less ``mean`` and
    divided by ``std``. ``y`` is int64 of shape (n,). In memory the images stay bytes; each batch is
    converted as it is taken. Plain files of images are mapped into memory, which the ranks of a
    machine share; they must not change meanwhile.

    The files are train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
    t10k-labels-idx1-ubyte, plain or compressed with ".gz" behind the name. Fashion-MNIST is that of
    H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking
    Machine Learning Algorithms", 2017.

    Args:
        folder: Where the files are. Default: where Debian's package dataset-fashion-mnist puts
            Fashion-MNIST.
        mean: Subtracted from the grey levels; 0.2860 is that of Fashion-MNIST.
        std: Positive; 0.3530 is that of Fashion-MNIST.

    Raises:
        UsageError: If the folder or a file is missing, if a file is not exactly what its header
            says, or if there are not as many labels as images.
        ValueError: If ``mean`` is not finite, or ``std`` not finite and positive.
    """
    if not (np.isfinite(mean) and np.isfinite(std) and std > 0):
        raise ValueError(
            "mean must be finite and std finite and positive, as they divide grey levels from 0 "
            f"to 1; got mean {mean} and std {std}"
        )
    path = _existing_folder(folder)
    images = [_find(path, f"{part}-images-idx3-ubyte") for part in _PARTS]
    labels = [_find(path, f"{part}-labels-idx1-ubyte") for part in _PARTS]
    levels = ((np.arange(256) / 255 - mean) / std).astype(np.float32)
    return Split(*(_dataset(x, y, levels) for x, y in zip(images, labels, strict=True)))


def read_idx(path: Path, ndim: int) -> NDArray[np.uint8]:
    """Return the array of unsigned bytes in an idx file, plain or compressed (".gz").

    The format: two zero bytes, the code of the data type, the number of dimensions, each length as
    a big-endian unsigned integer of 4 bytes, and then the values in C order.

    Args:
        path: The file.
        ndim: The number of dimensions that it must have.

    Raises:
        UsageError: If the file cannot be read or is not exactly that.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with readable(path):
        try:
            with cast(BinaryIO, opened(path, "rb")) as file:
                shape = _read_shape(file, path, ndim)
                if path.suffix != ".gz" and _is_whole(file, prod(shape)):
                    pixels: NDArray[np.uint8] = mapped(path, _BYTE, file.tell(), shape)
                    return pixels
                values = _read_values(file, prod(shape))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UsageError(
                f"{path}: is not a whole gzip file ({error}); {_DOWNLOADED}"
            ) from error
    if len(values) != prod(shape):
        found = "more" if len(values) > prod(shape) else f"only {len(values)}"
        raise UsageError(
            f"{path}: the header says {' x '.join(map(str, shape))} = {prod(shape)} bytes of "
            f"values, but the file has {found}; {_DOWNLOADED}"
        )
    return np.frombuffer(values, np.uint8).reshape(shape)


def _read_shape(file: BinaryIO, path: Path, ndim: int) -> tuple[int, ...]:
    size = 4 + 4 * ndim
    header = file.read(size)
    expected = bytes([0, 0, _UNSIGNED_BYTES, ndim])
    if header[:4] != expected[: len(header)]:
        raise UsageError(
            f"{path}: begins with the bytes {header[:4].hex(' ')}, but unsigned bytes in {ndim} "
            f"dimensions begin with {expected.hex(' ')}; give a file of this format, compressed "
            "ones with .gz behind the name"
        )
    if len(header) < size:
        raise UsageError(
            f"{path}: ends after {len(header)} bytes, within the header, which has {size}; "
            f"{_DOWNLOADED}"
        )
    shape: tuple[int, ...] = struct.unpack(f">{ndim}I", header[4:])
    if 0 in shape:
        raise UsageError(
            f"{path}: the header says {' x '.join(map(str, shape))} bytes of values, which is "
            "none; give a file with at least 1 sample"
        )
    return shape


def _is_whole(file: BinaryIO, size: int) -> bool:
    """Tell whether ``size`` bytes are left in a plain file."""
    return os.fstat(file.fileno()).st_size == file.tell() + size


def _read_values(file: BinaryIO, size: int) -> bytearray:
    """Read ``size`` bytes, and one more if it is there; what is not there takes no memory."""
    values = bytearray()
    while len(values) <= size and (chunk := file.read(min(_CHUNK, size + 1 - len(values)))):
        values += chunk
    return values


def _existing_folder(folder: str | None) -> Path:
    path = Path(folder or FASHION_MNIST).expanduser()
    if path.is_dir():
        return path
    if folder is None:
        raise UsageError(f"{path}: there is no such folder. {_INSTALLATION}")
    raise UsageError(
        f"{folder}: there is no such folder; it must hold train-images-idx3-ubyte and the other "
        f"three files of MNIST's format. For Fashion-MNIST: {_INSTALLATION}"
    )


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise UsageError(
        f"{folder}: has no file {name} and no {name}.gz; it needs images-idx3-ubyte and "
        "labels-idx1-ubyte, each for train and t10k"
    )


def _dataset(images: Path, labels: Path, levels: NDArray[np.float32]) -> CompactDataset:
    x, y = read_idx(images, ndim=3), read_idx(labels, ndim=1)
    if len(x) != len(y):
        raise UsageError(
            f"{images} has {len(x)} images and {labels} has {len(y)} labels, but each image needs "
            "one; take both files from one data set"
        )
    # By table, so that each value is rounded once and does not depend on the order of operations.
    return CompactDataset({"x": levels.take}, x=x[:, np.newaxis], y=y.astype(np.int64))
