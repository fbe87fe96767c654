"""The checkpoints of a run."""

import errno
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from distgrad.training.checkpoint.contents import Checkpoint
from distgrad.training.checkpoint.errors import CheckpointError, Unusable, cannot_be_written
from distgrad.training.checkpoint.folder import (
    check_sizes,
    check_whole,
    read_folder,
    sync_folder,
    write_folder,
)
from distgrad.training.checkpoint.listing import (
    DRAFT,
    REMOVED,
    REPLACED,
    checkpoint_path,
    hidden_path,
    list_entries,
)

__all__ = ["CheckpointStore", "Found"]


@dataclass(frozen=True)
class Found:
    """What was found when the newest checkpoint was looked for.

    Attributes:
        checkpoint: The newest one that is whole; None if there is none.
        skipped: One line for each that is newer and not whole: its path, and why. One that was
            still being written when a run ended is no checkpoint yet, and not among them.
    """

    checkpoint: Checkpoint | None
    skipped: list[str]


class CheckpointStore:
    """A folder of checkpoints, used by one process at a time.

    The checkpoint of step N is the folder ``step-N``. Whatever happens, at whatever moment, that
    folder is whole or not there: it is written under a hidden name, seen to the disk and renamed.
    What does not become one that is whole stays hidden, and goes with the next one that is saved.

    Args:
        folder: Where they are. It is made with the first one; the folder above it must be there.

    Example:
        >>> import tempfile, numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = CheckpointStore(Path(folder, "checkpoints"))
        ...     _ = store.save(Checkpoint(8, {"model": {"weight": np.ones(2)}}, {"epoch": 3}))
        ...     found = store.newest()
        >>> found.checkpoint.step, found.checkpoint.arrays, found.checkpoint.state, found.skipped
        (8, {'model': {'weight': array([1., 1.])}}, {'epoch': 3}, [])
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written: set[int] = set()

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint and see it to the disk; return its folder.

        One of the same step is replaced: at every moment one of the two is there.

        Raises:
            CheckpointError: If that fails. What was there before is there still.
            TypeError: If the format cannot hold the type of an array or of something in the state.
        """
        target = self.path(checkpoint.step)
        try:
            self._make_folder()
            self._tidy()
            try:
                self._write(checkpoint, target)
            except BaseException:
                with suppress(OSError, CheckpointError):
                    self._tidy()
                raise
        except OSError as error:
            size = sum(a.nbytes for group in checkpoint.arrays.values() for a in group.values())
            raise cannot_be_written(target, error, size) from error
        self._written.add(checkpoint.step)
        return target

    def path(self, step: int) -> Path:
        """Return the folder of the checkpoint of a step, whether it is there or not."""
        return checkpoint_path(self.folder, step)

    def newest(self, before: int | None = None) -> Found:
        """Read the newest checkpoint that is whole.

        Every file of it has been read and compared with the size and the SHA-256 that it had. In
        memory there are its arrays, and for a while the largest of its files.

        Args:
            before: Leave out those of this step and later ones. Default: all count.

        Raises:
            CheckpointError: If the folder is there and cannot be read.
        """
        skipped: list[str] = []
        for step, path in sorted(self._standing().items(), reverse=True):
            if before is not None and step >= before:
                continue
            try:
                return Found(read_folder(path, step), skipped)
            except Unusable as reason:
                skipped.append(f"{path}: {reason}")
        return Found(None, skipped)

    def read(self, step: int) -> Checkpoint:
        """Read the checkpoint of one step.

        Raises:
            CheckpointError: If it is not there, or not whole.
        """
        path = self._standing().get(step, self.path(step))
        try:
            return read_folder(path, step)
        except Unusable as reason:
            raise CheckpointError(f"{path}: {reason}") from reason

    def steps(self) -> list[int]:
        """Return the steps of which there are checkpoints, in order, without reading them.

        Raises:
            CheckpointError: If the folder is there and cannot be read.
        """
        return sorted(self._standing())

    def prune(self, keep_last: int, keep: Iterable[int] = ()) -> None:
        """Remove old checkpoints.

        The newest one that is whole stays in any case, and so does what is newer than it. Those
        that are seen not to be whole do not count.

        Args:
            keep_last: How many of the newest stay; at least 1.
            keep: The steps of others that stay.

        Raises:
            CheckpointError: If one cannot be removed.
            ValueError: If ``keep_last`` is not positive.
        """
        if keep_last < 1:
            raise ValueError(f"keep_last must be at least 1, got {keep_last}")
        folders = self._standing()
        newest = self._newest_step(folders)
        old = sorted((step for step in folders if step <= newest), reverse=True)
        last = [step for step in old if _passes(check_sizes, folders[step], step)][:keep_last]
        for step in sorted(set(old) - {*last, *keep}):
            try:
                self._remove(folders[step], step)
            except OSError as error:
                raise CheckpointError(
                    f"the old checkpoint {folders[step]} cannot be removed ({error.strerror}); "
                    "see why, and remove it by hand"
                ) from error

    def _newest_step(self, folders: dict[int, Path]) -> int:
        """The newest checkpoint that is whole; what this process has written needs no reading."""
        if written := self._written & set(folders):
            return max(written)
        newest_first = sorted(folders, reverse=True)
        return next((s for s in newest_first if _passes(check_whole, folders[s], s)), -1)

    def _make_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir()
            sync_folder(self.folder.parent)

    def _write(self, checkpoint: Checkpoint, target: Path) -> None:
        if os.path.lexists(target) and (target.is_symlink() or not target.is_dir()):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
        draft = hidden_path(self.folder, checkpoint.step, DRAFT)
        write_folder(draft, checkpoint)
        replaced = hidden_path(self.folder, checkpoint.step, REPLACED)
        with suppress(FileNotFoundError):
            target.rename(replaced)
        draft.rename(target)
        sync_folder(self.folder)
        if replaced.exists():
            self._remove(replaced, checkpoint.step)

    def _remove(self, path: Path, step: int) -> None:
        """Remove a checkpoint in such a way that it is never seen without some of its files."""
        removed = hidden_path(self.folder, step, REMOVED)
        path.rename(removed)
        # What cannot be deleted now is tried again when the next one is saved.
        shutil.rmtree(removed, ignore_errors=True)

    def _tidy(self) -> None:
        """Clear away what a crash has left."""
        entries = list_entries(self.folder)
        for entry in entries:
            if entry.kind in (DRAFT, REMOVED):
                shutil.rmtree(entry.path, ignore_errors=True)
        for entry in entries:
            if entry.kind == REPLACED:
                target = self.path(entry.step)
                if target.exists():
                    self._remove(entry.path, entry.step)
                else:
                    entry.path.rename(target)

    def _standing(self) -> dict[int, Path]:
        """Where the checkpoint of each step is."""
        entries = list_entries(self.folder)
        set_aside = {entry.step: entry.path for entry in entries if entry.kind == REPLACED}
        return set_aside | {entry.step: entry.path for entry in entries if entry.kind is None}


def _passes(check: Callable[[Path, int], object], path: Path, step: int) -> bool:
    try:
        check(path, step)
    except Unusable:
        return False
    return True
