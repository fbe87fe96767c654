"""Bytes and hashes of arrays."""

import hashlib
import struct

import numpy as np
import pytest

from distgrad.backend import arrays_sha256, little_endian_bytes

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.mark.parametrize(
    "array",
    [
        VALUES,
        VALUES.astype(">f4"),
        np.asfortranarray(VALUES),
        np.arange(12, dtype=np.float32).reshape(2, 6)[:, ::2] / 2,
        VALUES[::-1, ::-1][::-1, ::-1],
    ],
    ids=["plain", "big-endian", "Fortran order", "strided", "negative strides twice"],
)
def test_bytes_do_not_depend_on_memory(array) -> None:
    assert little_endian_bytes(array) == struct.pack("<6f", *range(6))


@pytest.mark.parametrize(
    ("array", "content"),
    [
        (np.array(258, dtype=">i2"), b"\x02\x01"),
        (np.array([True, False]), b"\x01\x00"),
        (np.zeros((0, 3)), b""),
        (np.broadcast_to(np.int8(7), (2, 2)), b"\x07\x07\x07\x07"),
    ],
    ids=["scalar", "bool", "empty", "broadcast"],
)
def test_special_arrays(array, content: bytes) -> None:
    assert bytes(little_endian_bytes(array)) == content


def test_nothing_is_copied_without_need() -> None:
    array = VALUES.copy()
    content = little_endian_bytes(array)
    array[0, 0] = 9
    assert content[:4] == struct.pack("<f", 9)


def test_the_hash_is_the_documented_one() -> None:
    named = [("b", np.array(7)), ("a", VALUES.T)]
    text = b"b int64 ()\n" + struct.pack("<q", 7) + b"a float32 (3, 2)\n"
    text += struct.pack("<6f", 0, 3, 1, 4, 2, 5)
    assert arrays_sha256(named) == hashlib.sha256(text).hexdigest()
