"""Losses that ask for a margin between what belongs together and what does not."""

from collections.abc import Callable

from distgrad.nn import functional
from distgrad.nn.distance import PairwiseDistance
from distgrad.nn.loss import Loss
from distgrad.tensor import Tensor

__all__ = [
    "CosineEmbeddingLoss",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class HingeEmbeddingLoss(Loss):
    """Distances where the target is 1, and what they lack of a margin where it is -1.

    Args:
        margin: What distances of the second kind should exceed. Default: 1.
        reduction: "mean" over all elements, "sum", or "none". Default: "mean".

    Shapes:
        input [*], target [*], the same; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> loss = dg.nn.HingeEmbeddingLoss(reduction="none")
        >>> loss(dg.tensor([0.25, 0.25]), dg.tensor([1, -1])).tolist()
        [0.25, 0.75]
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(Loss):
    """``max(0, -target * (input1 - input2) + margin)``.

    Args:
        margin: By how much the first should be higher where the target is 1. Default: 0.
        reduction: "mean" over all elements, "sum", or "none". Default: "mean".

    Shapes:
        input1 [*], input2 [*], target [*], the same; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> loss = dg.nn.MarginRankingLoss(0.5)
        >>> loss(dg.tensor([3.0]), dg.tensor([1.0]), dg.tensor([-1])).item()
        2.5
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.margin_ranking_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class CosineEmbeddingLoss(Loss):
    """What the cosine of two vectors lacks of 1, or exceeds a margin by.

    Args:
        margin: What cosines should not exceed where the target is -1. Default: 0.
        reduction: "mean" over all pairs, "sum", or "none". Default: "mean".

    Shapes:
        input1 and input2 [N, D] or [D], target [N] or []; the result [] or, for "none", [N].

    Raises:
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> a, b = dg.tensor([[1.0, 0.0]]), dg.tensor([[0.0, 2.0]])
        >>> dg.nn.CosineEmbeddingLoss()(a, b, dg.tensor([1])).item()
        1.0
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.cosine_embedding_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class SoftMarginLoss(Loss):
    """``log(1 + exp(-target * input))``.

    Args:
        reduction: "mean" over all elements, "sum", or "none". Default: "mean".

    Shapes:
        input [*], target [*], the same; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.SoftMarginLoss()(dg.zeros(2), dg.tensor([1, -1]))
        tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.soft_margin_loss(input, target, reduction=self.reduction)


class TripletMarginLoss(Loss):
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)``.

    Args:
        margin: By how much the negative should be farther away. Default: 1.
        p: The order of the norm that is the distance. Default: 2.
        eps: As in `PairwiseDistance`. Default: 1e-6.
        swap: Take the distance from the positive to the negative where it is smaller. Default:
            False.
        reduction: "mean" over all triplets, "sum", or "none". Default: "mean".

    Shapes:
        anchor, positive and negative [N, D] or [D]; the result [] or, for "none", [N].

    Raises:
        ValueError: If the margin is not positive; when called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> far = dg.tensor([[3.0, 4.0]])
        >>> round(dg.nn.TripletMarginLoss(2.0)(dg.zeros(1, 2), far, dg.zeros(1, 2)).item(), 4)
        7.0
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        _check_margin("TripletMarginLoss", margin)
        super().__init__(reduction=reduction)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss."""
        return functional.triplet_margin_loss(
            anchor,
            positive,
            negative,
            self.margin,
            self.p,
            self.eps,
            self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(Loss):
    """`TripletMarginLoss` for any distance.

    Args:
        distance_function: The distance of each pair, a function or module. Default:
            `PairwiseDistance`.
        margin: By how much the negative should be farther away. Default: 1.
        swap: Take the distance from the positive to the negative where it is smaller. Default:
            False.
        reduction: "mean" over all triplets, "sum", or "none". Default: "mean".

    Shapes:
        anchor, positive and negative what the distance takes; the result [] or, for "none", the
        distance's.

    Raises:
        ValueError: If the margin is not positive; when called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> loss = dg.nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).abs())
        >>> loss(dg.tensor([1.0]), dg.tensor([3.0]), dg.tensor([1.0])).item()
        3.0
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        _check_margin("TripletMarginWithDistanceLoss", margin)
        super().__init__(reduction=reduction)
        self.distance_function = distance_function or PairwiseDistance()
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss."""
        return functional.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


def _check_margin(name: str, margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"{name}: margin must be positive, got {margin}")
