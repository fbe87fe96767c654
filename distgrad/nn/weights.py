"""Weights in the safetensors format: files that PyTorch writes and reads, by the same names."""

from pathlib import Path
from typing import Any

import numpy as np

from distgrad.backend import Array, to_host
from distgrad.nn.loading import IncompatibleKeys
from distgrad.nn.module import Module

__all__ = ["load_weights", "save_weights", "weights_bytes"]

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
}


def save_weights(module: Module, path: str | Path, *, remove_duplicate: bool = False) -> None:
    """Write the parameters and persistent buffers of a module to a file.

    The format is that of safetensors, the names are those of `Module.state_dict`, and so PyTorch
    reads the file into a module of the same names: ``module.load_state_dict(load_file(path))`` with
    ``load_file`` of ``safetensors.torch``.

    Args:
        module: The module.
        path: Where the file goes; one that is there is replaced.
        remove_duplicate: Write a shared parameter under the first of its names only, as
            ``save_model`` of ``safetensors.torch`` does and its ``load_model`` expects; by default
            it stands under each of its names, as ``load_state_dict`` expects.

    Example:
        >>> import distgrad as dg, tempfile
        >>> layer, other = dg.nn.Linear(2, 3), dg.nn.Linear(2, 3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     dg.nn.save_weights(layer, folder + "/layer.safetensors")
        ...     dg.nn.load_weights(other, folder + "/layer.safetensors")
        IncompatibleKeys(missing_keys=[], unexpected_keys=[])
        >>> bool((layer.weight == other.weight).all())
        True
    """
    Path(path).write_bytes(weights_bytes(module, remove_duplicate))


def load_weights(module: Module, path: str | Path, strict: bool = True) -> IncompatibleKeys:
    """Copy weights from a file in the safetensors format into a module.

    Values are converted to the data types of the module: those of float16 and bfloat16 files are
    held exactly by float32 parameters; float64 files are rounded there. To keep what a file has,
    convert the module first, as with ``module.double()`` or ``module.bfloat16()``.

    A shared parameter may stand in the file under each of its names or under one of them.

    Args:
        module: The module, with parameters of the same names and shapes.
        path: The file, as `save_weights`, or ``save_file`` and ``save_model`` of
            ``safetensors.torch`` have written it.
        strict: Whether each name must be in the file, and no other.

    Returns:
        ``missing_keys`` and ``unexpected_keys``, two lists of names.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not in the format, or has values of a data type that NumPy does not
            have, such as float8.
        RuntimeError: If its names or shapes do not fit; nothing was loaded. See
            `Module.load_state_dict`.
    """
    given = _read(Path(path))
    _under_each_name(module, given)
    return module.load_state_dict(given, strict)


def weights_bytes(module: Module, remove_duplicate: bool = False) -> bytes:
    """Return what `save_weights` writes."""
    from safetensors.numpy import save

    state = module.state_dict(keep_vars=True)
    if remove_duplicate:
        first = {id(tensor): name for name, tensor in reversed(state.items())}
        state = {name: tensor for name, tensor in state.items() if first[id(tensor)] == name}
    # Not ascontiguousarray, which gives a scalar an axis.
    return save(
        {name: np.asarray(to_host(tensor.data), order="C") for name, tensor in state.items()}
    )


def _read(path: Path) -> dict[str, Array]:
    from safetensors import SafetensorError, deserialize

    try:
        entries = deserialize(path.read_bytes())  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise ValueError(f"{path} is not a file in the safetensors format ({error})") from error
    # The library's order changes from run to run.
    named = sorted(entries, key=lambda entry: entry[0])
    return {name: _as_array(name, path, **entry) for name, entry in named}


def _as_array(name: str, path: Path, dtype: str, shape: list[int], data: Any) -> Array:
    if dtype == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    if dtype not in _DTYPES:
        raise ValueError(
            f"{path} has {name!r} in the data type {dtype}, which NumPy does not have; convert the "
            "file first, to float32 for example"
        )
    return np.frombuffer(data, _DTYPES[dtype]).reshape(shape)


def _under_each_name(module: Module, given: dict[str, Array]) -> None:
    """Add the further names of shared parameters of which one name is given."""
    names: dict[int, list[str]] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        names.setdefault(id(tensor), []).append(name)
    for shared in names.values():
        known = [name for name in shared if name in given]
        if known:
            given.update((name, given[known[0]]) for name in shared if name not in given)
