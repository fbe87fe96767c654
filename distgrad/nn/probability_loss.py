"""Losses between probabilities."""

from distgrad.nn import functional
from distgrad.nn.loss import Loss
from distgrad.tensor import Tensor

__all__ = ["BCELoss", "BCEWithLogitsLoss", "KLDivLoss"]


class KLDivLoss(Loss):
    """The terms of the Kullback-Leibler divergence, ``target * (log(target) - input)``.

    Args:
        reduction: "mean" over all elements, "batchmean" for the sum over the length of the first
            axis, which is the divergence itself, "sum", or "none". Default: "mean".
        log_target: Whether the target holds log probabilities too. Default: False.

    Shapes:
        input [*], log probabilities; target [*], probabilities; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> loss = dg.nn.KLDivLoss(reduction="batchmean")
        >>> round(loss(dg.tensor([[0.25, 0.75]]).log(), dg.tensor([[0.5, 0.5]])).item(), 4)
        0.1438
    """

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.kl_div(
            input, target, reduction=self.reduction, log_target=self.log_target
        )


class BCELoss(Loss):
    """The binary cross-entropy of probabilities.

    Args:
        weight: Factors of the terms, which broadcast; a buffer. Default: 1 each.
        reduction: "mean" over all elements, "sum", or "none". Default: "mean".

    Shapes:
        input [*] and target [*], probabilities; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if the shapes differ or ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.BCELoss(reduction="none")(dg.tensor([0.5, 1.0]), dg.tensor([1.0, 0.0]))
        tensor([  0.6931, 100.0000])
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """The binary cross-entropy of the sigmoid of scores, computed without overflow.

    Args:
        weight: Factors of the terms, which broadcast; a buffer. Default: 1 each.
        reduction: "mean" over all elements, "sum", or "none". Default: "mean".
        pos_weight: Factors of what the positive targets add, which broadcast; a buffer. Default: 1
            each.

    Shapes:
        input [*], scores; target [*], probabilities; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if the shapes differ or ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> loss = dg.nn.BCEWithLogitsLoss()
        >>> round(loss(dg.tensor([0.0, 1000.0]), dg.tensor([1.0, 1.0])).item(), 4)
        0.3466
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )
