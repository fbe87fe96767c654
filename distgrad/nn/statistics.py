"""`RunningStatistics`: modules whose buffers follow the batches that they see."""

from distgrad.autograd import is_recomputing
from distgrad.backend import Array
from distgrad.nn.module import Module

__all__ = ["RunningStatistics"]


class RunningStatistics(Module):
    """Base of modules with running statistics, such as batch normalisation.

    By default an observation updates them at once, as in PyTorch. `DataParallel.accumulate` lets
    them be recorded instead and applies those of the whole global batch in the order of its
    micro-batches, on every rank: then they do not depend on how the batch was split.

    Attributes:
        recorded: Where observations go while they are recorded; None to apply each at once.
    """

    recorded: list[tuple[Array, ...]] | None = None

    @property
    def follows_batches(self) -> bool:
        """Whether it will observe anything; ranks exchange nothing for models that never do."""
        return True

    def observe(self, *statistics: Array) -> None:
        """Take what one batch shows, unless it is shown again by a checkpoint."""
        if is_recomputing():
            return
        if self.recorded is None:
            self.update_statistics(*statistics)
        else:
            self.recorded.append(statistics)

    def update_statistics(self, *statistics: Array) -> None:
        """Let the running statistics follow one observation; a subclass says how."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it follows its batches")
