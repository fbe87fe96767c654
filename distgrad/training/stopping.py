"""When a run has trained enough: after so many epochs, or once the loss has converged."""

import math

from distgrad.training.config import TrainingConfig

__all__ = ["Stopping"]


class Stopping:
    """The stop conditions of a run that are looked at after each epoch.

    Args:
        limits: The section with ``max_epochs``, ``target_loss`` and ``patience``.

    Example:
        >>> stopping = Stopping(TrainingConfig(loss="mse", patience=2))
        >>> [stopping.holds_after(epoch, loss) for epoch, loss in [(1, 0.5), (2, 0.6), (3, 0.5)]]
        [False, False, True]
    """

    def __init__(self, limits: TrainingConfig) -> None:
        self.limits = limits
        self.least_loss = math.inf
        self.epochs_without_progress = 0

    def holds_after(self, epoch: int, loss: float) -> bool:
        """Tell whether to stop after an epoch, whose number counts from 1, with this mean loss."""
        self.epochs_without_progress += 1
        if loss < self.least_loss:
            self.least_loss = loss
            self.epochs_without_progress = 0
        limits = self.limits
        return (
            epoch == limits.max_epochs
            or (limits.target_loss is not None and loss <= limits.target_loss)
            or self.epochs_without_progress == limits.patience
        )
