"""Instance normalisation: each channel of each sample by its own mean and variance."""

from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from distgrad.backend import Array
from distgrad.nn import functional
from distgrad.nn.channel_norm import ChannelNorm
from distgrad.nn.functional.batch_norm import follow
from distgrad.nn.functional.group_norm import normalize_instances
from distgrad.tensor import Tensor

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(ChannelNorm):
    """Normalises each channel of each sample; see `distgrad.nn.functional.instance_norm`."""

    _dimensions: ClassVar[int]
    """The axes of a batch."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        dtype: DTypeLike = np.float32,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input; in training its statistics are followed."""
        missing = self._dimensions - input.ndim
        if missing not in (0, 1):
            raise ValueError(
                f"{type(self).__name__}: the input must have {self._dimensions} axes, or one less "
                f"for a single sample, got an input of shape {input.shape}"
            )
        counted = self.affine or self.track_running_stats
        if counted and input.shape[1 - missing] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: the input must have {self.num_features} channels in axis "
                f"{1 - missing}, got an input of shape {input.shape}"
            )
        return (
            self._normalized(input.unsqueeze(0)).squeeze(0) if missing else self._normalized(input)
        )

    def _normalized(self, input: Tensor) -> Tensor:
        if self.training or self.running_mean is None or self.running_var is None:
            output, mean, variance = normalize_instances(input, self.weight, self.bias, self.eps)
            if self.training and self.track_running_stats and input.shape[0]:
                self.observe(mean, variance)
            return output
        running = self.running_mean, self.running_var
        return functional.instance_norm(
            input, *running, self.weight, self.bias, use_input_stats=False, eps=self.eps
        )

    def update_statistics(self, *statistics: Array) -> None:
        """Move the running mean and (unbiased) variance towards the means over a batch."""
        for running, observed in zip(
            (self.running_mean, self.running_var), statistics, strict=True
        ):
            assert running is not None
            follow(running, observed, self.momentum or 0.0)


class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each sample by its own mean and variance.

    Running statistics, where they are wanted, follow the means over each batch; they serve in
    evaluation, and under `DataParallel.accumulate` as those of `BatchNorm1d` do.

    Args:
        num_features: Number of channels C.
        eps: Added to the variance. Default: 1e-5.
        momentum: Weight of the newest batch in the running statistics; None for 0. Default: 0.1.
        affine: Whether there are a weight, at first 1, and a bias, at first 0. Default: False.
        track_running_stats: Whether to follow the batches, and to normalise by running statistics
            in evaluation. Default: False.
        dtype: Data type of parameters and statistics. Default: float32.
        bias: Whether there is a bias beside the weight. Default: True.

    Shapes:
        weight, bias, running_mean, running_var [C], num_batches_tracked [], which stays 0;
        input [N, C, L] or [C, L], output the same.

    Raises:
        ValueError: In a call, if the shape does not fit, or a channel has only one value.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.InstanceNorm1d(1, eps=0.0)(dg.tensor([[1.0, 3.0]])).tolist()
        [[-1.0, 1.0]]
    """

    _dimensions = 3


class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each image by its own mean and variance; see `InstanceNorm1d`.

    Shapes:
        input [N, C, H, W] or [C, H, W], output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.InstanceNorm2d(3)(dg.randn(2, 3, 4, 4)).shape
        (2, 3, 4, 4)
    """

    _dimensions = 4


class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each volume by its own mean and variance; see `InstanceNorm1d`.

    Shapes:
        input [N, C, D, H, W] or [C, D, H, W], output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.InstanceNorm3d(3)(dg.randn(3, 2, 2, 2)).shape
        (3, 2, 2, 2)
    """

    _dimensions = 5
