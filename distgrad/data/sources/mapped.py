"""Arrays in files that are mapped into memory and not read: what is not used takes none."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from distgrad.backend import Array

__all__ = ["MappedFolder", "mapped"]


def mapped(path: Path, dtype: np.dtype, offset: int, shape: tuple[int, ...]) -> Array:
    """Return the read-only array in a file, behind ``offset`` bytes; the file is to stay as it is.

    All processes of a machine share its memory. It is a plain array, because slices of a
    `numpy.memmap` are slower.
    """
    return np.asarray(np.memmap(path, dtype, "r", offset, shape))


class MappedFolder(Mapping[str, Array]):
    """The files NAME.npy of a folder, as `numpy.save` writes them.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/x.npy", np.arange(3))
        ...     arrays = MappedFolder(Path(folder))
        ...     list(arrays), arrays["x"]
        (['x'], array([0, 1, 2]))
    """

    def __init__(self, folder: Path) -> None:
        self._files = {file.stem: file for file in sorted(folder.glob("*.npy"))}

    def __getitem__(self, name: str) -> Array:
        """Map an array.

        Raises:
            KeyError: If there is no such file.
            ValueError: If the file is not whole, is no such file, or has pickled objects.
        """
        return np.asarray(np.lib.format.open_memmap(self._files[name], mode="r"))

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)
