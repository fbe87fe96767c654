"""The arrays underneath: array module, devices, random bits, BLAS threads, memory settings."""

from distgrad.backend.array_bytes import arrays_sha256, little_endian_bytes
from distgrad.backend.arrays import Array, MixedDevices, Namespace, array_namespace, array_of
from distgrad.backend.devices import device_name, to_device, to_host
from distgrad.backend.random import Stream, philox, random_bits

__all__ = [
    "Array",
    "MixedDevices",
    "Namespace",
    "Stream",
    "array_namespace",
    "array_of",
    "arrays_sha256",
    "device_name",
    "little_endian_bytes",
    "philox",
    "random_bits",
    "to_device",
    "to_host",
]
