"""Losses between numbers and what they should be."""

import math

from distgrad import ops
from distgrad.backend.lacking import first_true
from distgrad.creation import as_tensor
from distgrad.nn.functional.checks import check_floating, check_reduction
from distgrad.nn.functional.reduction import reduced, warn_of_broadcasting
from distgrad.tensor import Tensor, apply, promoted

__all__ = [
    "gaussian_nll_loss",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


def _pair(name: str, input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return both in one data type, warning of different shapes."""
    warn_of_broadcasting(name, input, target)
    first, second = promoted(input, target)
    check_floating(name, first)
    return first, second


def _weighted(name: str, terms: Tensor, weight: Tensor | None, input: Tensor) -> Tensor:
    if weight is None:
        return terms
    if weight.shape != input.shape:
        raise ValueError(
            f"{name}: weight and input must have one shape, got {weight.shape} and {input.shape}"
        )
    return terms * weight


def mse_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """Return the squared difference.

    Args:
        input: Predictions.
        target: What they should be, of the same shape; others broadcast, with a warning.
        reduction: "mean" over all elements, "sum", or "none".
        weight: Factors of the terms, of the shape of ``input``; the mean, too, is by the weights'
            sum. Default: 1 each.

    Raises:
        ValueError: If the shapes of ``input`` and ``weight`` differ, or the reduction is unknown.
        TypeError: If neither of the two is of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> mse_loss(dg.tensor([1.0, 3.0]), dg.zeros(2))
        tensor(5.)
    """
    check_reduction("mse_loss", reduction)
    x, y = _pair("mse_loss", input, target)
    if weight is None:
        return apply(ops.mse_loss, x, y, reduction=reduction)
    terms = _weighted("mse_loss", apply(ops.mse_loss, x, y, reduction="none"), weight, input)
    return terms.sum() / weight.sum() if reduction == "mean" else reduced("", terms, reduction)


def l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """Return the absolute difference; arguments and errors are those of `mse_loss`.

    Example:
        >>> import distgrad as dg
        >>> l1_loss(dg.tensor([1.0, -3.0]), dg.zeros(2))
        tensor(2.)
    """
    x, y = _pair("l1_loss", input, target)
    terms = _weighted("l1_loss", (x - y).abs(), weight, input)
    if weight is not None and reduction == "mean":
        return terms.sum() / weight.sum()
    return reduced("l1_loss", terms, reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """Return ``d**2 / (2 * beta)`` where the distance d is below ``beta``, else ``d - beta / 2``.

    Args:
        input: Predictions.
        target: What they should be, of the same shape; others broadcast, with a warning.
        reduction: "mean" over all elements, "sum", or "none".
        beta: Where the square passes into a line; with 0 it is `l1_loss`.

    Raises:
        ValueError: If ``beta`` is negative, or the reduction is unknown.
        TypeError: If neither of the two is of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> smooth_l1_loss(dg.tensor([1.0, -3.0]), dg.zeros(2), reduction="none")
        tensor([0.5000, 2.5000])

    Reference:
        R. Girshick, "Fast R-CNN", ICCV 2015.
    """
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must be 0 or more, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    x, y = _pair("smooth_l1_loss", input, target)
    return reduced("smooth_l1_loss", _bent(x - y, beta) / beta, reduction)


def _bent(difference: Tensor, bend: float) -> Tensor:
    """Half the square up to the bend, and the tangent from there on."""
    distance = difference.abs()
    square = difference * difference * 0.5
    return apply(ops.where, distance < bend, square, (distance - 0.5 * bend) * bend)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Return ``d**2 / 2`` where the distance d is below ``delta``, else its tangent there.

    Args:
        input: Predictions.
        target: What they should be, of the same shape; others broadcast, with a warning.
        reduction: "mean" over all elements, "sum", or "none".
        delta: Where the square passes into a line.
        weight: Factors of the terms, of the shape of ``input``. Default: 1 each.

    Raises:
        ValueError: If ``delta`` is not positive, the shapes of ``input`` and ``weight`` differ, or
            the reduction is unknown.
        TypeError: If neither of the two is of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> huber_loss(dg.tensor([1.0, -3.0]), dg.zeros(2), delta=2.0, reduction="none")
        tensor([0.5000, 4.0000])

    Reference:
        P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics
        35 (1964), 73-101.
    """
    if delta <= 0:
        raise ValueError(f"huber_loss: delta must be positive, got {delta}")
    x, y = _pair("huber_loss", input, target)
    terms = _weighted("huber_loss", _bent(x - y, delta), weight, input)
    return reduced("huber_loss", terms, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log likelihood of counts under Poisson distributions.

    Args:
        input: The expected counts, or their logarithms.
        target: Counts; shapes broadcast.
        log_input: Whether ``input`` holds logarithms.
        full: Add Stirling's approximation of ``log(target!)``, where the target is above 1.
        eps: Added to expected counts in front of their logarithm.
        reduction: "mean" over all elements, "sum", or "none".

    Raises:
        ValueError: If the reduction is unknown.

    Example:
        >>> import distgrad as dg
        >>> poisson_nll_loss(dg.zeros(2), dg.tensor([1.0, 4.0]))
        tensor(1.)
    """
    expected = input.exp() if log_input else input
    terms = expected - target * (input if log_input else (input + eps).log())
    if full:
        stirling = target * target.log() - target + (target * (2 * math.pi)).log() * 0.5
        terms = terms + stirling.masked_fill(target <= 1, 0)
    return reduced("poisson_nll_loss", terms, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative log likelihood of values under normal distributions.

    Args:
        input: The expected values.
        target: The values; shapes broadcast.
        var: The variances: of the shape of ``input``, the same without the last axis or with one
            axis of length 1 instead; or one number.
        full: Add the constant ``log(2 * pi) / 2``.
        eps: What a variance below it is taken as; that is not differentiated.
        reduction: "mean" over all elements, "sum", or "none".

    Raises:
        ValueError: If a variance is negative, their shape does not fit, or the reduction is
            unknown.

    Example:
        >>> import distgrad as dg
        >>> gaussian_nll_loss(dg.zeros(2), dg.tensor([1.0, 3.0]), dg.ones(2))
        tensor(2.5000)
    """
    variance = _variances(input, var)
    given = variance.detach()
    variance = variance + (given.clamp_min(eps) - given)
    difference = input - target
    terms = (variance.log() + difference * difference / variance) * 0.5
    if full:
        terms = terms + 0.5 * math.log(2 * math.pi)
    return reduced("gaussian_nll_loss", terms, reduction)


def _variances(input: Tensor, var: Tensor | float) -> Tensor:
    if isinstance(var, int | float):
        var = as_tensor(var, input.dtype).expand(input.shape)
    if first_true((var < 0).data) is not None:
        raise ValueError(f"gaussian_nll_loss: variances must be 0 or more, got {var.min().item()}")
    if var.shape == input.shape:
        return var
    if input.shape[:-1] == var.shape:
        return var.unsqueeze(-1)
    different = [b for a, b in zip(input.shape, var.shape, strict=False) if a != b]
    if input.ndim != var.ndim or sum(different) != 1:
        raise ValueError(
            f"gaussian_nll_loss: var must have the input's shape {input.shape}, or that without "
            f"the last axis or with one axis of length 1, got {var.shape}"
        )
    return var
