"""`ChannelNorm`: what batch and instance normalisation keep for each channel."""

import numpy as np
from numpy.typing import DTypeLike

from distgrad.creation import ones, zeros
from distgrad.nn.init import constant_
from distgrad.nn.parameter import Parameter
from distgrad.nn.statistics import RunningStatistics
from distgrad.tensor import Tensor

__all__ = ["ChannelNorm", "reset_affine"]


def reset_affine(weight: Parameter | None, bias: Parameter | None) -> None:
    """Set a weight to 1 and a bias to 0, if there are any."""
    for parameter, value in ((weight, 1.0), (bias, 0.0)):
        if parameter is not None:
            constant_(parameter, value)


class ChannelNorm(RunningStatistics):
    """Base of layers with weight, bias, running mean and running variance of each channel.

    Args:
        num_features: Number of channels C.
        eps: Added to the variance.
        momentum: Weight of the newest batch in the running statistics.
        affine: Whether there are a weight, at first 1, and a bias, at first 0.
        track_running_stats: Whether there are running statistics.
        dtype: Data type of parameters and statistics.
        bias: Whether there is a bias beside the weight.
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: DTypeLike = np.float32,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        weight = Parameter(ones(num_features, dtype=dtype)) if affine else None
        self.register_parameter("weight", weight)
        shift = Parameter(zeros(num_features, dtype=dtype)) if affine and bias else None
        self.register_parameter("bias", shift)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype=np.int64) if tracked else None)

    @property
    def follows_batches(self) -> bool:
        """Whether there are running statistics."""
        return self.track_running_stats

    def reset_running_stats(self) -> None:
        """Begin to follow the batches anew."""
        first = ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0))
        for statistic, value in first:
            if statistic is not None:
                statistic.fill_(value)

    def reset_parameters(self) -> None:
        """Give the parameters and the running statistics their initial values."""
        self.reset_running_stats()
        reset_affine(self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )
