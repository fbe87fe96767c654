"""Batch normalisation: each channel by its mean and variance over the micro-batch."""

from typing import ClassVar

from distgrad.autograd import no_grad
from distgrad.backend import Array
from distgrad.nn import functional
from distgrad.nn.channel_norm import ChannelNorm
from distgrad.nn.functional.batch_norm import follow, normalize_batch
from distgrad.tensor import Tensor

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"]


class _BatchNorm(ChannelNorm):
    """Normalises each channel; see `distgrad.nn.functional.batch_norm`."""

    _dimensions: ClassVar[tuple[int, ...]]

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised input; in training its statistics are followed."""
        if input.ndim not in self._dimensions or input.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: the input must have {self.num_features} channels in its "
                f"second axis and {' or '.join(map(str, self._dimensions))} axes, got an input of "
                f"shape {input.shape}"
            )
        if self.training or self.running_mean is None or self.running_var is None:
            output, mean, variance = normalize_batch(input, self.weight, self.bias, self.eps)
            if self.training and self.track_running_stats:
                self.observe(*((mean, variance) if input.numel() else ()))
            return output
        return functional.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )

    def update_statistics(self, *statistics: Array) -> None:
        """Move the running mean and (unbiased) variance towards those of a batch.

        An empty batch is counted, but has none.
        """
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        with no_grad():
            self.num_batches_tracked.add_(1)
        count = self.num_batches_tracked.item()
        momentum = 1 / count if self.momentum is None else self.momentum
        for running, observed in zip(
            (self.running_mean, self.running_var), statistics, strict=False
        ):
            follow(running, observed, momentum)


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
        bias: Whether there is a bias beside the weight. Default: True.

    Shapes:
        weight, bias, running_mean, running_var [C], num_batches_tracked [];
        input [N, C] or [N, C, L], output the same.

    Raises:
        ValueError: In a call, if the shape does not fit, or a channel has only one value in
            training.

    Example:
        >>> import distgrad as dg
        >>> norm = dg.nn.BatchNorm1d(1)
        >>> norm(dg.tensor([[1.0], [3.0]])).detach()
        tensor([[-1.0000],
                [ 1.0000]])
        >>> norm.running_mean, norm.running_var
        (tensor([0.2000]), tensor([1.1000]))
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


class BatchNorm3d(_BatchNorm):
    """Normalises each channel of volumes by its micro-batch in training; see `BatchNorm1d`.

    Shapes:
        input [N, C, D, H, W], output the same.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.BatchNorm3d(3)(dg.randn(1, 3, 2, 2, 2)).shape
        (1, 3, 2, 2, 2)
    """

    _dimensions = (5,)
