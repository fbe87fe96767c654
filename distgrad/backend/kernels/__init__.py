"""The kernel table: functions of arrays that a faster implementation may stand in for."""

from distgrad.backend.kernels.choice import (
    kernels_in_use,
    kernels_to_be_compiled,
    use_kernels,
    wanted_kernels,
)
from distgrad.backend.kernels.table import Kernel, kernel, use

__all__ = [
    "Kernel",
    "kernel",
    "kernels_in_use",
    "kernels_to_be_compiled",
    "use",
    "use_kernels",
    "wanted_kernels",
]
