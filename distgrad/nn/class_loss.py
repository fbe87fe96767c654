"""Losses between scores and classes."""

from distgrad.nn import functional
from distgrad.nn.loss import Loss
from distgrad.tensor import Tensor

__all__ = ["CrossEntropyLoss", "NLLLoss"]


class CrossEntropyLoss(Loss):
    """The negative log likelihood of classes under the softmax of the input.

    Args:
        weight: [C], how much a target of each class counts, in the sum and in the mean; a buffer.
            Default: 1 each.
        ignore_index: Targets of this value count neither in the sum nor in the mean. Default: -100.
        reduction: "mean" over the targets that count, "sum", or "none". Default: "mean".
        label_smoothing: From 0 to 1: how much of each target is spread evenly over all classes.
            Default: 0.

    Shapes:
        input [N, C, ...] or [C], scores of C classes; target [N, ...] or [], integers from 0 to
        C - 1, or [N, C, ...] or [C], probabilities; the result [] or, for "none", [N, ...] or [].

    Raises:
        IndexError: When called, if a target is out of range.
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> loss = dg.nn.CrossEntropyLoss()
        >>> round(loss(dg.zeros(2, 10), dg.tensor([3, 7])).item(), 4)  # log 10
        2.3026
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(Loss):
    """The negative log likelihood of classes, the input being log probabilities.

    Args:
        weight: [C], how much a target of each class counts, in the sum and in the mean; a buffer.
            Default: 1 each.
        ignore_index: Targets of this value count neither in the sum nor in the mean. Default: -100.
        reduction: "mean" over the targets that count, "sum", or "none". Default: "mean".

    Shapes:
        input [N, C, ...] or [C], log probabilities; target [N, ...] or [], integers; the result []
        or, for "none", the target's.

    Raises:
        IndexError: When called, if a target is out of range.
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.NLLLoss()(dg.tensor([[-0.5, -1.0]]), dg.tensor([1])).item()
        1.0
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.nll_loss(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )
