"""Arrays in NumPy's .npz files, or in folders of its .npy files."""

import zlib
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from operator import methodcaller
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from distgrad.backend import Array
from distgrad.data.checks import holds_numbers
from distgrad.data.compact import CompactDataset
from distgrad.data.dataset import TensorDataset
from distgrad.data.sources.files import existing_file, readable
from distgrad.data.sources.mapped import MappedFolder
from distgrad.data.sources.split import Split, split_at_random
from distgrad.errors import UsageError

__all__ = ["npz"]

_Arrays: TypeAlias = Mapping[str, Array]

_LOOKED_AT = 1 << 20
"""Elements that are looked at together: so files that are mapped need little memory."""


def npz(
    path: str,
    x: str = "x",
    y: str = "y",
    x_test: str = "x_test",
    y_test: str = "y_test",
    *,
    test_fraction: float | None = None,
    split_seed: int = 0,
    x_dtype: Literal["float32", "float64", "int64"] = "float32",
) -> Split:
    """Return samples from a .npz file, as `numpy.savez` and `numpy.savez_compressed` write it.

    Or from a folder of files such as x.npy, as `numpy.save` writes them. These are mapped into
    memory: the ranks of a machine share it, and it holds what is used at the time. They must not
    change meanwhile. With ``test_fraction`` both parts are copied into memory.

    ``x`` is given out as ``x_dtype``. ``y`` is given out as int64 if the file has integers or
    booleans, as float64 if ``x_dtype`` is that, and else as float32. In memory the arrays stay as
    in the file; each batch is converted as it is taken. Pickled objects are never loaded.

    Args:
        path: The file, or the folder.
        x: Name of the array of inputs, of shape (n, ...).
        y: Name of the array of targets, of shape (n, ...).
        x_test: Name of the inputs to test on.
        y_test: Name of the targets to test on.
        test_fraction: Hold this share of ``x`` and ``y`` out instead of using the test arrays.
        split_seed: Names the permutation by which they are chosen.
        x_dtype: "int64" for what an embedding takes.

    Raises:
        UsageError: If the file or an array is missing, damaged, of objects or text, empty, or not
            finite, or if the lengths do not fit.
        ValueError: If ``test_fraction`` leaves either part without a sample.
    """
    folder = Path(path).expanduser()
    file = folder if folder.is_dir() else existing_file(path)
    if x_dtype not in ("float32", "float64", "int64"):
        raise ValueError(f"x_dtype must be float32, float64 or int64, got {x_dtype!r}")
    with readable(file), _opened(file) as arrays:
        train = _pair(file, arrays, x, y)
        if test_fraction is not None:
            split = split_at_random(train, test_fraction, split_seed)
        elif x_test in arrays or y_test in arrays:
            split = Split(train, _pair(file, arrays, x_test, y_test))
        else:
            raise UsageError(
                f"{path}: has no arrays {x_test} and {y_test} to test on, only {_listed(arrays)}; "
                "name them by x_test and y_test, or hold samples out by test_fraction = 0.2"
            )
    return Split(*(_given_out(part, x_dtype) for part in split))


def _opened(file: Path) -> AbstractContextManager[_Arrays]:
    if file.is_dir():
        return nullcontext(MappedFolder(file))
    import zipfile  # here and below, because it loads much that other sources do not need

    try:
        archive = np.load(file, allow_pickle=False) if zipfile.is_zipfile(file) else None
    except zipfile.BadZipFile:
        archive = None
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise UsageError(
            f"{file}: is no .npz file, or not all of one; write it by numpy.savez(path, x=x, y=y)"
        )
    return archive


def _pair(file: Path, arrays: _Arrays, x: str, y: str) -> TensorDataset:
    inputs, targets = _array(file, arrays, x), _array(file, arrays, y)
    if len(inputs) != len(targets):
        raise UsageError(
            f"{file}: array {x} has {len(inputs)} samples and array {y} has {len(targets)}, but "
            "each input needs a target; give both one length"
        )
    return TensorDataset(x=inputs, y=targets)


def _array(file: Path, arrays: _Arrays, name: str) -> Array:
    import zipfile

    if name not in arrays:
        raise UsageError(f"{file}: has no array {name}, only {_listed(arrays)}; name one of them")
    try:
        array = arrays[name]
    except ValueError as error:
        if "allow_pickle" not in str(error) and "Python objects" not in str(error):
            raise _damaged(file, name, error) from error
        raise UsageError(
            f"{file}: array {name} holds pickled Python objects, which could run any program when "
            "loaded; save it as an array of numbers"
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _damaged(file, name, error) from error
    _check(file, name, array)
    return array


def _damaged(file: Path, name: str, error: Exception) -> UsageError:
    return UsageError(f"{file}: array {name} is damaged ({error}); copy or write the file again")


def _check(file: Path, name: str, array: Array) -> None:
    found = f"{file}: array {name} is {array.dtype} of shape {array.shape}"
    if not holds_numbers(array) or array.dtype.kind == "c":
        raise UsageError(f"{found}, but must hold real numbers; encode it as numbers")
    if array.ndim == 0 or not len(array):
        raise UsageError(f"{found}, but needs a first axis of at least 1 sample; add it")
    if array.dtype.kind == "f" and (bad := _not_finite(array)):
        raise UsageError(
            f"{found} and has {array[tuple(bad)]} at {bad}, which cannot be trained on; replace or "
            "leave out what is not finite"
        )


def _not_finite(array: Array) -> list[int]:
    """Return where the first element is that is not finite; looks at some rows at a time."""
    rows = max(1, _LOOKED_AT // max(1, array[0].size))
    for start in range(0, len(array), rows):
        bad = np.argwhere(~np.isfinite(array[start : start + rows]))
        if len(bad):
            return [start + int(bad[0, 0]), *bad[0, 1:].tolist()]
    return []


def _given_out(dataset: TensorDataset, x_dtype: str) -> CompactDataset:
    inputs, targets = dataset.arrays.values()
    inexact = "float64" if x_dtype == "float64" else "float32"
    y_dtype = inexact if targets.dtype.kind == "f" else "int64"
    conversions = {
        "x": methodcaller("astype", x_dtype, copy=False),
        "y": methodcaller("astype", y_dtype, copy=False),
    }
    return CompactDataset(conversions, x=inputs, y=targets)


def _listed(arrays: _Arrays) -> str:
    return ", ".join(sorted(arrays)) or "nothing"
