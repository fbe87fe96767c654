"""The arrays underneath: array module, random bits, BLAS threads, memory settings."""

from distgrad.backend.array_bytes import arrays_sha256, little_endian_bytes
from distgrad.backend.arrays import Array, Namespace, array_namespace, device_name
from distgrad.backend.random import Stream, philox

__all__ = [
    "Array",
    "Namespace",
    "Stream",
    "array_namespace",
    "arrays_sha256",
    "device_name",
    "little_endian_bytes",
    "philox",
]
