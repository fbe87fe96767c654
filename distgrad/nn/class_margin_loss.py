"""Losses that ask for a margin between the scores of classes."""

from distgrad.nn import functional
from distgrad.nn.loss import Loss
from distgrad.tensor import Tensor

__all__ = ["MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss"]


class MultiMarginLoss(Loss):
    """What the score of the right class lacks of exceeding the other ones by a margin.

    Args:
        p: 1 or 2, the power of what is lacking. Default: 1.
        margin: By how much. Default: 1.
        weight: [C], factors of the samples by their class; a buffer. Default: 1 each.
        reduction: "mean" over the samples, "sum", or "none". Default: "mean".

    Shapes:
        input [N, C] or [C], scores; target [N] or [], classes; the result [] or, for "none", [N].

    Raises:
        ValueError: If ``p`` is neither 1 nor 2; when called, if the shapes do not fit.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.MultiMarginLoss()(dg.tensor([[0.5, 0.25]]), dg.tensor([0])).item()
        0.375
    """

    weight: Tensor | None

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
    ) -> None:
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p must be 1 or 2, got {p}")
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction
        )


class MultiLabelMarginLoss(Loss):
    """What the scores of the right classes lack of exceeding the other ones by 1.

    Args:
        reduction: "mean" over the samples, "sum", or "none". Default: "mean".

    Shapes:
        input [N, C] or [C], scores; target the same, right classes and behind them -1; the
        result [] or, for "none", [N].

    Raises:
        ValueError: When called, if the shapes differ or ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.MultiLabelMarginLoss()(dg.tensor([0.5, 0.25]), dg.tensor([0, -1])).item()
        0.375
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(Loss):
    """The mean over the classes of the binary cross-entropy of scores.

    Args:
        weight: [C], factors of the classes; a buffer. Default: 1 each.
        reduction: "mean" over the samples, "sum", or "none". Default: "mean".

    Shapes:
        input [..., C], scores; target the same, 1 for right classes, else 0; the result [] or, for
            "none", [...].

    Raises:
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> loss = dg.nn.MultiLabelSoftMarginLoss()
        >>> round(loss(dg.zeros(1, 2), dg.tensor([[1, 0]])).item(), 4)
        0.6931
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.multilabel_soft_margin_loss(
            input, target, self.weight, reduction=self.reduction
        )
