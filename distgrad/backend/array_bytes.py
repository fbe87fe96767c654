"""What an array holds, as bytes that do not depend on the machine or on how it lies in memory."""

import hashlib
from collections.abc import Iterable

import numpy as np

from distgrad.backend.arrays import Array
from distgrad.backend.devices import to_host

__all__ = ["arrays_sha256", "little_endian_bytes"]


def little_endian_bytes(array: Array) -> memoryview:
    """Return the values of an array as little-endian bytes in C order.

    Shares the memory of an array that lies so already, and copies any other.

    Args:
        array: Of any device, shape, order and byte order.

    Example:
        >>> little_endian_bytes(np.array([1, 2], dtype=">i2")).tolist()
        [1, 0, 2, 0]
    """
    # A scalar gets an axis here, which its bytes do not show.
    contiguous = np.ascontiguousarray(to_host(array), dtype=array.dtype.newbyteorder("<"))
    return contiguous.reshape(-1).view(np.uint8).data


def arrays_sha256(named: Iterable[tuple[str, Array]]) -> str:
    """Return the SHA-256 of named arrays, in hexadecimal.

    For each of them, in the order given, the hash takes a line with its name, data type and shape,
    and then its values as little-endian bytes in C order.

    Args:
        named: Pairs of a name and an array, of any device.

    Example:
        >>> arrays_sha256([("x", np.zeros((2, 3), np.float32))])[:16]
        '2895a786f4d6dce0'
    """
    digest = hashlib.sha256()
    for name, array in named:
        digest.update(f"{name} {array.dtype.name} {array.shape}\n".encode())
        digest.update(little_endian_bytes(array))
    return digest.hexdigest()
