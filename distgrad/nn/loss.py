"""Losses as modules, with the functions of `distgrad.nn.functional` behind them."""

from distgrad.nn import functional
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = ["CrossEntropyLoss", "MSELoss", "NLLLoss"]


class MSELoss(Module):
    """The squared difference of input and target.

    Args:
        reduction: "mean" over all elements, "sum", or "none". Default: "mean".

    Shapes:
        input [*], target [*], the same; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.MSELoss()(dg.zeros(4), 3 * dg.ones(4)).item()
        9.0
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.mse_loss(input, target, reduction=self.reduction)


class CrossEntropyLoss(Module):
    """The negative log likelihood of class numbers under the softmax of the input.

    Args:
        ignore_index: Targets of this value count neither in the sum nor in the mean. Default: -100.
        reduction: "mean" over the targets that count, "sum", or "none". Default: "mean".

    Shapes:
        input [N, C, ...] or [C], scores of C classes; target [N, ...] or [], integers from 0 to
        C - 1; the result [] or, for "none", the target's.

    Raises:
        IndexError: When called, if a target is out of range.
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> loss = dg.nn.CrossEntropyLoss()
        >>> round(loss(dg.zeros(2, 10), dg.tensor([3, 7])).item(), 4)  # log 10
        2.3026
    """

    def __init__(self, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__()
        self.ignore_index = ignore_index
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.cross_entropy(
            input, target, reduction=self.reduction, ignore_index=self.ignore_index
        )


class NLLLoss(Module):
    """The negative log likelihood of class numbers, the input being log probabilities.

    Arguments, shapes and errors are those of `CrossEntropyLoss`.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.NLLLoss()(dg.tensor([[-0.5, -1.0]]), dg.tensor([1])).item()
        1.0
    """

    def __init__(self, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__()
        self.ignore_index = ignore_index
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.nll_loss(
            input, target, reduction=self.reduction, ignore_index=self.ignore_index
        )
