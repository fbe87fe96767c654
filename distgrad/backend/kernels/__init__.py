"""The kernel table: functions of arrays that a faster implementation may stand in for."""

from distgrad.backend.kernels.table import Kernel, kernel, use

__all__ = ["Kernel", "kernel", "use"]
