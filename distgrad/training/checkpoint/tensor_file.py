"""Arrays in the safetensors format, as a stream, and back.

The library's own writer holds a whole file in memory (and the interpreter's lock) in some versions,
and hides the system's error numbers. Parsing is left to the library, which makes no arrays of
bfloat16.
"""

import json
from collections.abc import Callable, Mapping

import numpy as np

from distgrad.backend import Array, little_endian_bytes
from distgrad.backend.dtypes import data_type

__all__ = ["read_arrays", "stream_arrays"]

_TYPE_NAMES = {
    "bool": "BOOL",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "bfloat16": "BF16",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
}


def stream_arrays(
    arrays: Mapping[str, Array], write: Callable[[bytes | memoryview], object]
) -> None:
    """Write arrays in the safetensors format.

    Args:
        arrays: Of NumPy, by name; shapes are those of the arrays, values are in C order.
        write: Takes the file's content piece by piece.

    Raises:
        TypeError: If an array has a data type that the format does not know.
        ValueError: If an array has the name that the format keeps for itself.
    """
    # Wide types first, so that each array begins at a multiple of its item size.
    ordered = sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
    write(_header(ordered))
    for _, array in ordered:
        write(little_endian_bytes(array))


def read_arrays(content: bytes) -> dict[str, Array]:
    """Return the arrays of a file in the safetensors format.

    Raises:
        safetensors.SafetensorError: If it is none.
        KeyError: If it has a data type that arrays do not have.
        UsageError: If it has bfloat16, and ``ml_dtypes`` is not installed.
    """
    from safetensors import deserialize

    types = {code: name for name, code in _TYPE_NAMES.items()}
    return {
        name: np.frombuffer(entry["data"], data_type(types[entry["dtype"]])).reshape(entry["shape"])
        for name, entry in deserialize(content)  # type: ignore[no-untyped-call]
    }


def _header(ordered: list[tuple[str, Array]]) -> bytes:
    entries, offset = {}, 0
    for name, array in ordered:
        if name == "__metadata__":
            raise ValueError("an array of a checkpoint cannot be named '__metadata__'")
        if array.dtype.name not in _TYPE_NAMES:
            raise TypeError(
                f"the array {name!r} has the data type {array.dtype}, which a checkpoint cannot "
                f"hold; use one of {', '.join(_TYPE_NAMES)}"
            )
        entries[name] = {
            "dtype": _TYPE_NAMES[array.dtype.name],
            "shape": array.shape,
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
