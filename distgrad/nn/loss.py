"""Losses between numbers and what they should be, with the functions behind them."""

from distgrad.nn import functional
from distgrad.nn.module import Module
from distgrad.tensor import Tensor

__all__ = [
    "GaussianNLLLoss",
    "HuberLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]


class Loss(Module):
    """Base of the losses.

    Args:
        reduction: How the terms become one number.
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction


class MSELoss(Loss):
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

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """The absolute difference of input and target.

    Args:
        reduction: "mean" over all elements, "sum", or "none". Default: "mean".

    Shapes:
        input [*], target [*], the same; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.L1Loss()(dg.zeros(4), 3 * dg.ones(4)).item()
        3.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """``d**2 / (2 * beta)`` where the distance d is below ``beta``, else ``d - beta / 2``.

    Args:
        reduction: "mean" over all elements, "sum", or "none". Default: "mean".
        beta: Where the square passes into a line; with 0 it is `L1Loss`. Default: 1.

    Shapes:
        input [*], target [*], the same; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if ``beta`` is negative or ``reduction`` none of those.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.SmoothL1Loss(reduction="none")(dg.tensor([1.0, -3.0]), dg.zeros(2)).tolist()
        [0.5, 2.5]
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """``d**2 / 2`` where the distance d is below ``delta``, else its tangent there.

    Args:
        reduction: "mean" over all elements, "sum", or "none". Default: "mean".
        delta: Where the square passes into a line. Default: 1.

    Shapes:
        input [*], target [*], the same; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if ``delta`` is not positive or ``reduction`` none of those.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.HuberLoss("none", 2.0)(dg.tensor([1.0, -3.0]), dg.zeros(2)).tolist()
        [0.5, 4.0]
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        if not isinstance(delta, float | int):
            raise TypeError(f"HuberLoss: delta must be a number, got {type(delta).__name__}")
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class PoissonNLLLoss(Loss):
    """The negative log likelihood of counts under Poisson distributions.

    Args:
        log_input: Whether the input holds logarithms of the expected counts. Default: True.
        full: Add an approximation of ``log(target!)``. Default: False.
        eps: Added to expected counts in front of their logarithm. Default: 1e-8.
        reduction: "mean" over all elements, "sum", or "none". Default: "mean".

    Shapes:
        input [*], target [*], the same; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if ``reduction`` is none of those.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.PoissonNLLLoss()(dg.zeros(2), dg.tensor([1.0, 4.0])).item()
        1.0
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        *,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.poisson_nll_loss(
            log_input,
            target,
            self.log_input,
            self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(Loss):
    """The negative log likelihood of values under normal distributions.

    Args:
        full: Add the constant ``log(2 * pi) / 2``. Default: False.
        eps: What a variance below it is taken as. Default: 1e-6.
        reduction: "mean" over all elements, "sum", or "none". Default: "mean".

    Shapes:
        input [*], target [*] and var [*], the same, var also without the last axis or with one
        axis of length 1; the result [] or, for "none", [*].

    Raises:
        ValueError: When called, if a variance is negative or does not fit, or ``reduction`` is none
            of those.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.GaussianNLLLoss()(dg.zeros(2), dg.tensor([1.0, 3.0]), dg.ones(2)).item()
        2.5
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        """Return the loss."""
        return functional.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)
