"""The folder of one checkpoint: how it is written, read and checked."""

import errno
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from distgrad.backend import Array
from distgrad.training.checkpoint.contents import Checkpoint
from distgrad.training.checkpoint.errors import Unusable
from distgrad.training.checkpoint.manifest import FileRecord, Manifest
from distgrad.training.checkpoint.tensor_file import read_arrays, stream_arrays

__all__ = ["check_sizes", "check_whole", "read_folder", "sync_folder", "write_folder"]

MANIFEST = "manifest.json"
STATE = "state.json"
ARRAYS = ".safetensors"

_PIECE = 1 << 20  # small enough to be in the cache still when it is written after it was hashed

Write = Callable[[bytes | memoryview], None]


def write_folder(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint into a new folder and see all of it to the disk, the manifest last."""
    state = checkpoint.state_json()
    path.mkdir()
    files = {}
    for group, arrays in checkpoint.arrays.items():
        name = group + ARRAYS
        files[name] = _write(path / name, partial(stream_arrays, arrays))
    files[STATE] = _write(path / STATE, lambda write: write(state))
    manifest = Manifest(checkpoint.step, files).to_json()
    _write(path / MANIFEST, lambda write: write(manifest))
    sync_folder(path)


def _write(path: Path, produce: Callable[[Write], None]) -> FileRecord:
    """Write a file and see it to the disk."""
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:

        def write(content: bytes | memoryview) -> None:
            nonlocal size
            size += len(content)
            for start in range(0, len(content), _PIECE):
                piece = content[start : start + _PIECE]
                digest.update(piece)
                file.write(piece)

        produce(write)
        file.flush()
        os.fsync(file.fileno())
    return FileRecord(size, digest.hexdigest())


def sync_folder(path: Path) -> None:
    """See to the disk which names a folder has."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems know of no such thing, and need none.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def read_folder(path: Path, step: int) -> Checkpoint:
    """Read a checkpoint, all of which has been found to be as it was written.

    Raises:
        Unusable: If it is not.
    """
    manifest = check_sizes(path, step)
    arrays, state = {}, {}
    for name, record in manifest.files.items():
        content = _read_whole(path / name, record)
        if name.endswith(ARRAYS):
            arrays[name.removesuffix(ARRAYS)] = _parse_arrays(name, content)
        else:
            state = json.loads(content)
    return Checkpoint(step, arrays, state)


def check_whole(path: Path, step: int) -> None:
    """Find a checkpoint to be as it was written.

    Raises:
        Unusable: If it is not.
    """
    for name, record in check_sizes(path, step).files.items():
        _read_whole(path / name, record)


def check_sizes(path: Path, step: int) -> Manifest:
    """Find the manifest to be whole and the files to be there, with the right sizes.

    Raises:
        Unusable: If they are not.
    """
    manifest = _read_manifest(path)
    if manifest.step != step:
        raise Unusable(f"its manifest is of step {manifest.step}: the folder was renamed")
    for name, record in manifest.files.items():
        try:
            size = (path / name).stat().st_size
        except OSError as error:
            raise Unusable(f"{name} cannot be read ({error.strerror})") from error
        if size != record.size:
            what = "was cut short" if size < record.size else "has grown"
            raise Unusable(f"{name} {what}: it has {size} bytes, and had {record.size}")
    return manifest


def _read_manifest(path: Path) -> Manifest:
    try:
        return Manifest.from_json((path / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise Unusable("it has no manifest.json: a crash or a copy has left it so") from error
    except OSError as error:
        raise Unusable(f"manifest.json cannot be read ({error.strerror})") from error


def _read_whole(path: Path, record: FileRecord) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path.name} cannot be read ({error.strerror})") from error
    found = hashlib.sha256(content).hexdigest()
    if found != record.sha256:
        raise Unusable(f"{path.name} is damaged: its sha256 is {found}, and was {record.sha256}")
    return content


def _parse_arrays(name: str, content: bytes) -> dict[str, Array]:
    from safetensors import SafetensorError

    with suppress(KeyError):  # of a type that NumPy does not have
        try:
            return read_arrays(content)
        except SafetensorError as error:
            raise Unusable(f"{name} cannot be read ({error})") from error
    raise Unusable(f"{name} cannot be read (it has a data type that NumPy does not have)")
