"""From CUDA C to a running kernel: sources, compilation, and how many threads do what.

A file of kernels is compiled once for each data type, by NVRTC through CuPy's ``RawModule``, which
keeps what it has compiled on disk. The launchers take the array module from their caller, so that
whatever has a ``RawModule`` can run them: CuPy, or a double that runs CUDA C on the host.
"""

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from distgrad.backend.arrays import Array, Namespace

__all__ = [
    "FILES",
    "HALF",
    "MOST_BLOCKS",
    "TYPES",
    "Launch",
    "by_element",
    "by_row",
    "launch",
    "options",
    "served",
    "source",
]

FILES = (
    "attention",
    "cross_entropy",
    "dropout",
    "elementwise",
    "embedding",
    "normalize",
    "optimizer",
    "sums",
    "tensor_attention",
    "tree",
    "window",
)
"""The files of kernels."""

TYPES = {
    "float32": ("float", "float"),
    "float64": ("double", "double"),
    "float16": ("float16", "float"),
    "bfloat16": ("bfloat16", "float"),
}
"""For each data type served, its name in CUDA C, and the type that is computed in."""

HALF = ("tensor_attention",)
"""Those for elements of 16 bits alone."""

SIZES = {"attention": "HEAD", "tensor_attention": "HEAD"}
"""For a file that is compiled anew for each size of something, the name of that size there."""

MOST_BLOCKS = 65535
"""How long a grid may be along all axes but its first."""

_THREADS = 256
_MOST_THREADS = 1024
_WARP = 32
_CHUNK = 256  # rows whose columns a block sums, at least
_BYTES = 16  # that a thread reads at a time

Launch = tuple[tuple[int, ...], tuple[int, ...]]
"""The grid and the block of a launch."""


@cache
def source(file: str) -> str:
    """Return a file of kernels with what stands before each."""
    folder = files(__package__) / "sources"
    parts = [(folder / name).read_text() for name in ("prelude.cuh", f"{file}.cu")]
    return "\n".join(parts)


def options(file: str, dtype: str, size: int = 0) -> tuple[str, ...]:
    """Return what the compiler is told.

    Args:
        file: One of `FILES`.
        dtype: A key of `TYPES`.
        size: What the file is written for, where that is more than a data type; see `SIZES`.
    """
    stored, computed = TYPES[dtype]
    sized = (f"-D{SIZES[file]}={size}",) if file in SIZES else ()
    return ("-std=c++14", "--fmad=false", f"-DSTORED={stored}", f"-DCOMPUTED={computed}", *sized)


@cache
def _kernel(xp: Namespace, kernel: str, dtype: str, size: int, shared: int) -> Any:
    file, name = kernel.split(".")
    found = _module(xp, file, dtype, size).get_function(name)
    if shared:  # a block gets no more than 48 KiB, with what its kernel declares, unless asked
        found.max_dynamic_shared_size_bytes = shared
    return found


@cache
def _module(xp: Namespace, file: str, dtype: str, size: int) -> Any:
    return xp.RawModule(code=source(file), options=options(file, dtype, size))


def launch(
    xp: Namespace,
    kernel: str,
    dtype: Any,
    shape: Launch,
    *args: Any,
    size: int = 0,
    shared: int = 0,
) -> None:
    """Run a kernel.

    Args:
        xp: The array module.
        kernel: ``file.name``.
        dtype: The data type that the kernel is for.
        shape: Grid and block.
        *args: Arrays, contiguous; integers, which are ``long long`` there; floats, of the type
            that is computed in; None for a null pointer; scalars of NumPy as they are.
        size: As for `options`.
        shared: How many bytes of shared memory a block gets beside what its kernel declares.
    """
    real = np.float64 if dtype.name == "float64" else np.float32
    grid, block = shape
    given = tuple([_argument(value, real) for value in args])
    _kernel(xp, kernel, dtype.name, size, shared)(grid, block, given, shared_mem=shared)


def device_of(array: Array) -> str:
    """Return what tells the devices of arrays apart."""
    return str(getattr(array, "device", ""))


@cache
def constants(xp: Namespace, _device: str, values: tuple[float, ...], dtype: str) -> Array:
    """Return numbers in the memory of a device; of equal ones the same array, which stays."""
    return xp.asarray(values, dtype=dtype)


def _argument(value: Any, real: type) -> Any:
    if value is None:
        return np.uint64(0)
    if isinstance(value, np.generic):  # asked first: float64 is a float, too
        return value
    if isinstance(value, float):
        return real(value)
    return np.int64(value) if isinstance(value, int) else value


def served(*arrays: Array | None) -> bool:
    """Tell whether there are kernels for arrays: of one floating-point type, and not empty."""
    given = [array for array in arrays if array is not None]
    dtype = given[0].dtype
    return dtype.name in TYPES and all(array.dtype == dtype and array.size for array in given)


def by_element(like: Array, each: int | None = None, size: int | None = None) -> Launch:
    """Return the shape of a launch in which a thread works on neighbouring elements.

    Args:
        like: An array of the data type, and by default of the size.
        each: How many elements for a thread; by default what it reads at a time.
        size: How many elements there are.
    """
    each = each or _BYTES // like.dtype.itemsize
    threads = -(-(like.size if size is None else size) // each)
    return (-(-threads // _THREADS),), (_THREADS,)


def by_row(rows: int, width: int) -> Launch:
    """Return the shape of a launch in which a warp, or for long rows a block, works on a row."""
    if width <= _WARP * _WARP:
        at_once = _THREADS // _WARP
        return (-(-rows // at_once),), (_WARP, at_once)
    return (rows,), (_THREADS,)


def one_block(size: int) -> Launch:
    """Return the shape of a launch in which one block works on all elements."""
    return (1,), (min(_MOST_THREADS, -(-size // _WARP) * _WARP),)


def by_warp(things: int, each: int) -> Launch:
    """Return the shape of a launch in which a warp works on ``each`` things."""
    warps = _THREADS // _WARP
    return (-(-things // (each * warps)),), (_WARP, warps)


def by_piece(pieces: int) -> Launch:
    """Return the shape of a launch in which a block works on each of a few long pieces."""
    return (pieces,), (_MOST_THREADS,)


def by_place(like: Array, places: int, width: int) -> Launch:
    """Return the shape of a launch with blocks for each place, which work on a row of ``width``."""
    packs = -(-width * like.dtype.itemsize // _BYTES)
    threads = min(_THREADS, -(-packs // _WARP) * _WARP)
    return (places, -(-packs // threads)), (threads,)


def by_column(rows: int, width: int) -> tuple[Launch, int]:
    """Return the shape of a launch that sums columns, and how many rows a block takes."""
    chunk = max(_CHUNK, -(-rows // MOST_BLOCKS))
    grid = -(-width // _WARP), -(-rows // chunk)
    return (grid, (_WARP, _THREADS // _WARP)), chunk


def wide(like: Array) -> str:
    """Return the type in which the kernels for the type of an array compute."""
    return "float64" if like.dtype.name == "float64" else "float32"
