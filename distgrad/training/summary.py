"""The result of a run in one small table."""

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

from distgrad.training.metrics import Value

__all__ = ["Summary", "peak_rss_mb"]


@dataclass(frozen=True)
class Summary:
    """What ``summary.json`` says.

    Attributes:
        status: "done", "interrupted" or "failed".
        error: What went wrong, or None.
        steps: Steps that were made.
        epochs: Epochs that were completed.
        world_size: The number of ranks.
        micro_batches_per_step: Micro-batches in a full global batch.
        final_loss: The mean loss of the last global batch, before its update.
        metrics: The loss and other metrics of the test samples at the end; nothing if the run was
            interrupted before they were measured.
        weights_sha256: See `distgrad.training.weights.weights_sha256`; of the average of the
            weights, where there is one.
        data_sha256: See `distgrad.data.data_sha256`; of the samples trained on, and None if
            they are not arrays in memory.
        samples_per_second: Samples trained on, over the time that their steps took on rank 0.
        wall_seconds: The time from the start of the run, or from where it was resumed, to its end.
        peak_rss_mb: For each rank the largest resident memory, in 2**20 bytes.
        reduction: How gradients were summed over the ranks.
        restarts: How often the run was resumed.
        ranks_lost: How many ranks were lost.
        skipped_steps: Steps without an update, because something was not finite or nothing counted.
    """

    status: str
    error: str | None
    steps: int
    epochs: int
    world_size: int
    micro_batches_per_step: int
    final_loss: float | None
    metrics: dict[str, Value]
    weights_sha256: str
    data_sha256: str | None
    samples_per_second: float | None
    wall_seconds: float
    peak_rss_mb: list[float]
    reduction: str
    restarts: int = 0
    ranks_lost: int = 0
    skipped_steps: int = 0


def peak_rss_mb() -> float:
    """Return the largest resident memory that this process has had, in 2**20 bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: on Linux a process begins with the peak of the one that started it.
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
