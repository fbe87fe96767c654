"""A checkpoint that rank 0 has read, on every rank: the hosts need no common disk."""

from typing import Any

import numpy as np

from distgrad.backend import Array
from distgrad.distributed import Communicator
from distgrad.training.checkpoint import Checkpoint

__all__ = ["share"]

_PIECE = 2**26
"""Bytes in a message: MPI counts elements in 32 bits, in some versions."""


def share(comm: Communicator, checkpoint: Checkpoint | None) -> Checkpoint | None:
    """Return on every rank the checkpoint that rank 0 gives; None if it gives none.

    Example:
        >>> from distgrad.distributed import SingleProcess
        >>> checkpoint = Checkpoint(3, {"model": {"weight": np.ones(2)}}, {})
        >>> share(SingleProcess(), checkpoint).arrays["model"]["weight"]
        array([1., 1.])
    """
    contents: Any = None
    if checkpoint is not None and comm.rank == 0:
        shapes = {
            group: {name: (array.shape, array.dtype) for name, array in arrays.items()}
            for group, arrays in checkpoint.arrays.items()
        }
        contents = checkpoint.step, shapes, checkpoint.state
    contents = comm.all_gather_object(contents)[0]
    if contents is None:
        return None
    step, shapes, state = contents
    arrays: dict[str, dict[str, Array]] = {}
    for group, described in shapes.items():
        arrays[group] = {}
        for name, (shape, dtype) in described.items():
            if checkpoint is not None and comm.rank == 0:
                array = np.asarray(checkpoint.arrays[group][name], order="C")
            else:
                array = np.empty(shape, dtype)
            _broadcast(comm, array)
            arrays[group][name] = array
    return Checkpoint(step, arrays, state)


def _broadcast(comm: Communicator, array: Array) -> None:
    content = array.reshape(-1).view(np.uint8)
    for start in range(0, content.size, _PIECE):
        comm.broadcast(content[start : start + _PIECE])
