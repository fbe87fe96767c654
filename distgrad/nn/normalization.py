"""Normalisation layers."""

from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from distgrad.autograd import no_grad
from distgrad.backend import Array
from distgrad.creation import ones, zeros
from distgrad.nn import functional
from distgrad.nn.functional.norm import follow, normalize_batch
from distgrad.nn.module import Module
from distgrad.nn.parameter import Parameter
from distgrad.nn.statistics import RunningStatistics
from distgrad.tensor import Tensor

__all__ = ["BatchNorm1d", "BatchNorm2d", "LayerNorm"]


class LayerNorm(Module):
    """Normalises the last axes of each sample; see `distgrad.nn.functional.layer_norm`.

    Args:
        normalized_shape: The lengths of those axes, or the length of the last one.
        eps: Added to the variance. Default: 1e-5.
        elementwise_affine: Whether there is a weight, at first 1. Default: True.
        bias: Whether there is a bias too, at first 0. Default: True.
        dtype: Data type of the parameters. Default: float32.

    Shapes:
        input ``[*, *normalized_shape]``, output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.LayerNorm(2, eps=0.0)(dg.tensor([1.0, 3.0])).tolist()
        [-1.0, 1.0]
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        if elementwise_affine:
            self.weight = Parameter(ones(self.normalized_shape, dtype=dtype))
        else:
            self.register_parameter("weight", None)
        if elementwise_affine and bias:
            self.bias = Parameter(zeros(self.normalized_shape, dtype=dtype))
        else:
            self.register_parameter("bias", None)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input."""
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class _BatchNorm(RunningStatistics):
    """Normalises each channel; see `distgrad.nn.functional.batch_norm`."""

    _dimensions: ClassVar[tuple[int, ...]]
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
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        weight = Parameter(ones(num_features, dtype=dtype)) if affine else None
        bias = Parameter(zeros(num_features, dtype=dtype)) if affine else None
        self.register_parameter("weight", weight)
        self.register_parameter("bias", bias)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype=np.int64) if tracked else None)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input; in training its statistics are followed."""
        if input.ndim not in self._dimensions or input.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: the input must have {self.num_features} channels in its "
                f"second axis and {' or '.join(map(str, self._dimensions))} axes, got an input of "
                f"shape {input.shape}"
            )
        if self.training or not self.track_running_stats:
            output, mean, variance = normalize_batch(input, self.weight, self.bias, self.eps)
            if self.track_running_stats:
                self.observe(mean, variance)
            return output
        return functional.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )

    def update_statistics(self, *statistics: Array) -> None:
        """Move the running mean and (unbiased) variance towards those of a batch."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        with no_grad():
            self.num_batches_tracked.add_(1)
        count = self.num_batches_tracked.item()
        momentum = 1 / count if self.momentum is None else self.momentum
        for running, observed in zip(
            (self.running_mean, self.running_var), statistics, strict=True
        ):
            follow(running, observed, momentum)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Normalises each channel by its micro-batch in training, else by running statistics.

    The running mean, and variance (the unbiased one), follow each micro-batch at once, as in
    PyTorch; inside `DataParallel.accumulate` they follow all micro-batches of the global batch in
    order when the step is done, on every rank. See `functional.batch_norm`.

    Args:
        num_features: Number of channels C.
        eps: Added to the variance. Default: 1e-5.
        momentum: Weight of the newest batch in the running statistics; None averages over all
            batches. Default: 0.1.
        affine: Whether there are a weight, at first 1, and a bias, at first 0. Default: True.
        track_running_stats: Whether to follow the batches; otherwise each batch is normalised by
            itself in evaluation too. Default: True.
        dtype: Data type of parameters and statistics. Default: float32.

    Shapes:
        weight, bias, running_mean, running_var [C], num_batches_tracked [];
        input [N, C] or [N, C, L], output the same.

    Raises:
        ValueError: In a call, if the shape does not fit, or a channel has only one value in
            training.

    Example:
        >>> import distgrad as dg
        >>> norm = dg.nn.BatchNorm1d(1, eps=0.0)
        >>> norm(dg.tensor([[1.0], [3.0]])).tolist()
        [[-1.0], [1.0]]
        >>> norm.running_mean, norm.running_var
        (tensor([0.2]), tensor([1.1]))
    """

    _dimensions = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalises each channel of images by its micro-batch in training, else by running statistics.

    Arguments, statistics and errors are those of `BatchNorm1d`.

    Shapes:
        input [N, C, H, W], output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.BatchNorm2d(3)(dg.randn(2, 3, 4, 4)).shape
        (2, 3, 4, 4)
    """

    _dimensions = (4,)
