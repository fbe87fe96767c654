"""Losses between probabilities."""

from typing import Any

from distgrad import ops
from distgrad.backend.lacking import first_true
from distgrad.nn.functional.checks import check_floating, check_reduction
from distgrad.nn.functional.reduction import reduced
from distgrad.tensor import Tensor, apply

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div"]


def kl_div(
    input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    """Return the terms of the Kullback-Leibler divergence, ``target * (log(target) - input)``.

    Args:
        input: Log probabilities.
        target: Probabilities; shapes broadcast.
        reduction: "mean" over all elements, "batchmean" for the sum over the length of the first
            axis, which is the divergence itself, "sum", or "none".
        log_target: Whether ``target`` holds log probabilities too.

    Raises:
        ValueError: If the reduction is unknown.

    Example:
        >>> import distgrad as dg
        >>> half = dg.tensor([[0.5, 0.5]])
        >>> kl_div(dg.tensor([[0.25, 0.75]]).log(), half, reduction="batchmean")
        tensor(0.1438)

    Reference:
        S. Kullback, R. A. Leibler, "On information and sufficiency", Annals of Mathematical
        Statistics 22 (1951), 79-86.
    """
    own = target.exp() * target if log_target else target.xlogy(target)
    terms = own - (target.exp() if log_target else target) * input
    if reduction != "batchmean":
        return reduced("kl_div", terms, reduction)
    return terms.sum() / input.shape[0] if input.ndim else terms.sum()


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """Return ``-target * log(input) - (1 - target) * log(1 - input)``.

    No logarithm counts as less than -100, and so the loss is finite.

    Args:
        input: Probabilities.
        target: Probabilities that they should be, of the same shape.
        weight: Factors of the terms, which broadcast. Default: 1 each.
        reduction: "mean" over all elements, "sum", or "none".

    Raises:
        ValueError: If the shapes differ, or the reduction is unknown.
        RuntimeError: If ``input`` is not from 0 to 1.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> binary_cross_entropy(dg.tensor([0.5, 1.0]), dg.tensor([1.0, 0.0]), reduction="none")
        tensor([  0.6931, 100.0000])
    """
    name = "binary_cross_entropy"
    _check_pair(name, input, target, reduction)
    if first_true(~((input >= 0) & (input <= 1)).data) is not None:
        low, high = input.min().item(), input.max().item()
        raise RuntimeError(
            f"{name}: the input must be from 0 to 1, got {low} to {high}; "
            "binary_cross_entropy_with_logits takes scores"
        )
    terms = apply(ops.binary_cross_entropy, input, target.to(input.dtype))
    return reduced(name, terms if weight is None else terms * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return the binary cross-entropy of the sigmoid of scores, computed without overflow.

    Args:
        input: Scores.
        target: Probabilities, of the same shape.
        weight: Factors of the terms, which broadcast. Default: 1 each.
        reduction: "mean" over all elements, "sum", or "none".
        pos_weight: Factors of what the positive targets add, which broadcast. Default: 1 each.

    Raises:
        ValueError: If the shapes differ, or the reduction is unknown.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> binary_cross_entropy_with_logits(dg.tensor([0.0, 1000.0]), dg.tensor([1.0, 1.0]))
        tensor(0.3466)
    """
    name = "binary_cross_entropy_with_logits"
    _check_pair(name, input, target, reduction)
    factor: Any = 1 if pos_weight is None else (pos_weight - 1) * target + 1
    terms = (1 - target) * input - apply(ops.log_sigmoid, input) * factor
    return reduced(name, terms if weight is None else terms * weight, reduction)


def _check_pair(name: str, input: Tensor, target: Tensor, reduction: str) -> None:
    check_reduction(name, reduction)
    check_floating(name, input)
    if input.shape != target.shape:
        raise ValueError(
            f"{name}: input and target must have one shape, got {input.shape} and "
            f"{target.shape}; reshape() one of them"
        )
