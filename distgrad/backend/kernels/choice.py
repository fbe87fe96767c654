"""Which kernels compute on the CPU: chosen once in a process."""

import os
from importlib.util import find_spec

import numpy as np

from distgrad.backend.arrays import Namespace
from distgrad.backend.kernels.table import use
from distgrad.errors import UsageError

__all__ = ["kernels_in_use", "kernels_to_be_compiled", "use_kernels", "wanted_kernels"]

_CHOICES = ("auto", "numpy", "numba")

_chosen: dict[Namespace, str] = {}


def use_kernels(choice: str = "auto") -> str:
    """Choose the kernels that compute on NumPy's arrays, for the rest of the process.

    Results differ by rounding between one choice and another, and never within one.
    `distgrad.distributed.connect` makes this choice, in such a way that of several processes on a
    machine only one compiles.

    Args:
        choice: "numpy", NumPy's own functions; "numba", compiled kernels where there is one and
            NumPy's functions for the rest; "auto", what the environment variable
            ``DISTGRAD_KERNELS`` says, or else numba's where numba is installed. Default: "auto".

    Returns:
        `kernels_in_use`.

    Raises:
        UsageError: If there is no such choice, or numba is asked for and not installed.

    Example:
        >>> use_kernels("numpy")
        'numpy'
    """
    if wanted_kernels(choice) == "numba":
        from distgrad.backend.kernels.compiled import compiler, load_column

        use(np, load_column())
        _chosen[np] = compiler()
    else:
        use(np, {})
        _chosen[np] = "numpy"
    return _chosen[np]


def kernels_in_use() -> str:
    """Return which kernels compute on NumPy's arrays, with the versions that their bits depend on.

    Example:
        >>> use_kernels("numpy")
        'numpy'
        >>> kernels_in_use()
        'numpy'
    """
    return _chosen.get(np, "numpy")


def kernels_to_be_compiled(wanted: str) -> bool:
    """Tell whether `use_kernels` would compile all of "numba", which takes a while."""
    if wanted != "numba":
        return False
    from distgrad.backend.kernels.compiled import to_be_compiled

    return to_be_compiled()


def wanted_kernels(choice: str) -> str:
    """Return what a choice, as `use_kernels` takes it, means here: "numpy" or "numba"."""
    name = "the choice of kernels"
    if choice == "auto":
        name, choice = "DISTGRAD_KERNELS", os.environ.get("DISTGRAD_KERNELS", "auto")
    if choice not in _CHOICES:
        listed = ", ".join(map(repr, _CHOICES))
        raise UsageError(f"{name} must be one of {listed}, got {choice!r}")
    if choice == "auto":
        return "numba" if find_spec("numba") else "numpy"
    if choice == "numba" and not find_spec("numba"):
        raise UsageError(
            f"{name} is 'numba', which is not installed here: install it with "
            "`pip install 'distgrad[fast]'`, or choose 'numpy'"
        )
    return choice
