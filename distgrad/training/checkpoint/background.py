"""Checkpoints written beside the training."""

import json
import threading
from pathlib import Path

import numpy as np

from distgrad.backend import Array
from distgrad.training.checkpoint.contents import Checkpoint
from distgrad.training.checkpoint.errors import CheckpointError
from distgrad.training.checkpoint.store import CheckpointStore

__all__ = ["BackgroundWriter"]


class BackgroundWriter:
    """Writes checkpoints in a thread while the training goes on.

    It costs memory: a copy of all arrays, which stays for the next checkpoint until `finish`. For a
    model trained with Adam that is three times its parameters. Nothing else is copied while the
    files are written, and hashing and writing leave the interpreter to the training.

    Args:
        store: Where they go.
        keep_last: How many of the newest stay; at least 1.
        wait_limit: After how many seconds of waiting a write counts as hung.

    Attributes:
        failure: What went wrong in the background; None if nothing did. Look at it after `finish`:
            a failed write does not raise there.
    """

    def __init__(
        self, store: CheckpointStore, keep_last: int, *, wait_limit: float = 1800.0
    ) -> None:
        self.failure: CheckpointError | None = None
        self._store = store
        self._keep_last = keep_last
        self._wait_limit = wait_limit
        self._buffers: dict[tuple[str, str], Array] = {}
        self._thread: threading.Thread | None = None
        self._path = Path()

    def submit(self, checkpoint: Checkpoint, best_step: int | None) -> None:
        """Copy a checkpoint and begin to write it; then old ones are removed.

        Returns as soon as the copy is made: the arrays and the state may change at once. If the
        checkpoint before is still being written, that is waited for first.

        Args:
            checkpoint: What to write.
            best_step: The step of one that stays, besides the newest.

        Raises:
            CheckpointError: If a checkpoint before this one has failed.
            TypeError: If there is something in the state that JSON does not know.
        """
        self._wait()
        if self.failure is not None:
            raise self.failure
        copy = self._copy(checkpoint)
        self._path = self._store.path(copy.step)
        # A daemon, because nothing could end the program while a write hangs.
        self._thread = threading.Thread(
            target=self._write, args=(copy, best_step), name="distgrad-checkpoint", daemon=True
        )
        self._thread.start()

    def finish(self) -> None:
        """Wait for the last write and free the memory; call it before the program ends.

        A write that hangs (a disk that does not answer) is waited for until ``wait_limit``, and is
        the `failure` then. May be called more than once.
        """
        self._wait()
        self._buffers = {}

    def _wait(self) -> None:
        if self._thread is None:
            return
        self._thread.join(self._wait_limit)
        if self._thread.is_alive():
            self.failure = CheckpointError(
                f"the checkpoint {self._path} is still being written after "
                f"{self._wait_limit:g} s; see whether its disk answers, then go on with --resume"
            )
        self._thread = None  # only now: an interrupted wait must be taken up again

    def _write(self, checkpoint: Checkpoint, best_step: int | None) -> None:
        try:
            self._store.save(checkpoint)
            self._store.prune(self._keep_last, () if best_step is None else (best_step,))
        except CheckpointError as error:
            self.failure = error
        except Exception as error:
            self.failure = CheckpointError(f"the checkpoint {self._path} failed: {error!r}")
            self.failure.__cause__ = error

    def _copy(self, checkpoint: Checkpoint) -> Checkpoint:
        buffers: dict[tuple[str, str], Array] = {}
        arrays: dict[str, dict[str, Array]] = {}
        for group, members in checkpoint.arrays.items():
            arrays[group] = {}
            for name, array in members.items():
                buffer = self._buffers.get((group, name))
                # As the file has it, so that the copy is the last one.
                dtype = array.dtype.newbyteorder("<")
                if buffer is None or (buffer.shape, buffer.dtype) != (array.shape, dtype):
                    buffer = np.empty(array.shape, dtype)
                np.copyto(buffer, array)
                buffers[group, name] = arrays[group][name] = buffer
        self._buffers = buffers
        return Checkpoint(checkpoint.step, arrays, json.loads(checkpoint.state_json()))
