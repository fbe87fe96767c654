"""What can be wrong with a checkpoint, in words."""

import errno
import shutil
from pathlib import Path

from distgrad.errors import DistgradError

__all__ = ["CheckpointError", "Unusable", "cannot_be_written"]


class CheckpointError(DistgradError):
    """A checkpoint could not be written, or the folder of checkpoints not be read."""


class Unusable(Exception):  # noqa: N818 (a finding, told to the user as the reason of a choice)
    """A checkpoint is not whole, or cannot be understood; the message is the reason."""


_RESUME = "go on with --resume; the checkpoints before it are as they were"
_WRITABLE = f"make the folder writable, then {_RESUME}"
_OTHER_THING = f"something else has this name: move it away, then {_RESUME}"
_WAYS_OUT = {
    errno.ENOSPC: f"free some space or keep fewer (checkpoint.keep_last), then {_RESUME}",
    errno.EDQUOT: f"your quota is used up: free some space, then {_RESUME}",
    errno.EROFS: _WRITABLE,
    errno.EACCES: _WRITABLE,
    errno.EPERM: _WRITABLE,
    errno.ENOENT: "the folder was removed while the run went on: bring it back and go on with "
    "--resume, or begin anew",
    errno.ENOTDIR: _OTHER_THING,
    errno.EEXIST: _OTHER_THING,
}


def cannot_be_written(path: Path, error: OSError, size: int) -> CheckpointError:
    """Return the error for a checkpoint that could not be written.

    Args:
        path: Where it should be.
        error: What the system said.
        size: What it takes, in bytes.
    """
    reason = error.strerror or str(error)
    if error.errno == errno.ENOSPC:
        reason += f" (it takes {_megabytes(size)}{_free(path)})"
    elif error.filename:
        reason = f"{error.filename}: {reason}"
    way_out = _WAYS_OUT.get(error.errno or 0, f"mend that, then {_RESUME}")
    return CheckpointError(f"the checkpoint {path} cannot be written: {reason}; {way_out}")


def _free(path: Path) -> str:
    try:
        return f", {_megabytes(shutil.disk_usage(path.parent).free)} are free"
    except OSError:
        return ""


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
