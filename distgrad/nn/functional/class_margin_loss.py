"""Losses that ask for a margin between the scores of classes."""

from typing import Any

import numpy as np

from distgrad import ops
from distgrad.backend import Array, array_namespace, to_host
from distgrad.backend.lacking import first_true, running
from distgrad.nn.functional.activation import logsigmoid
from distgrad.nn.functional.checks import check_floating
from distgrad.nn.functional.reduction import reduced
from distgrad.tensor import Tensor, apply

__all__ = ["multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss"]


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """Return what the score of the right class lacks of exceeding the other ones by a margin.

    For each sample the sum over the wrong classes of ``max(0, margin - right + wrong) ** p``,
    divided by the number of classes.

    Args:
        input: Scores, (N, C) or (C,).
        target: Classes from 0 to C - 1, of type int64: (N,) or ().
        p: 1 or 2.
        margin: By how much.
        weight: (C,), factors of the samples by their class. Default: 1 each.
        reduction: "mean" over the samples, "sum", or "none".

    Raises:
        ValueError: If ``p`` or the reduction is unknown, or the shapes do not fit.
        TypeError: If the scores are not of floating-point type, or the targets not int64.
        IndexError: If a target is not a class.

    Example:
        >>> import distgrad as dg
        >>> multi_margin_loss(dg.tensor([[0.5, 0.25]]), dg.tensor([0]))
        tensor(0.3750)
    """
    name = "multi_margin_loss"
    if p not in (1, 2):
        raise ValueError(f"{name}: p must be 1 or 2, got {p}")
    scores = _rows_of_scores(name, input)
    samples, classes = scores.shape
    if target.ndim > 1 or target.numel() != samples:
        raise ValueError(
            f"{name}: scores of shape {input.shape} need {samples} targets along one axis, got "
            f"shape {target.shape}"
        )
    if weight is not None and weight.shape != (classes,):
        raise ValueError(
            f"{name}: weight must have shape ({classes},), one for each class, got {weight.shape}"
        )
    _check_classes(name, target.data, 0, classes)
    right = target.reshape(samples, 1)
    lacking: Tensor = apply(ops.relu, scores - scores.gather(1, right) + margin)
    lacking = lacking if p == 1 else lacking * lacking
    lacking = lacking.scatter(1, right, 0.0)
    if weight is not None:
        lacking = lacking * weight[right]
    terms = lacking.sum(1) / classes
    return reduced(name, terms.reshape(target.shape), reduction)


def multilabel_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """Return what the scores of the right classes lack of exceeding the other ones by 1.

    For each sample the sum over all pairs of a right and a wrong class of
    ``max(0, 1 - right + wrong)``, divided by the number of classes.

    Args:
        input: Scores, (N, C) or (C,).
        target: The right classes of each sample, of type int64, in the shape of ``input``; those
            behind the first -1 do not count.
        reduction: "mean" over the samples, "sum", or "none".

    Raises:
        ValueError: If the shapes differ, or the reduction is unknown.
        TypeError: If the scores are not of floating-point type, or the targets not int64.
        IndexError: If a target is neither a class nor -1.

    Example:
        >>> import distgrad as dg
        >>> multilabel_margin_loss(dg.tensor([0.5, 0.25]), dg.tensor([0, -1]))
        tensor(0.3750)
    """
    name = "multilabel_margin_loss"
    scores = _rows_of_scores(name, input)
    if target.shape != input.shape:
        raise ValueError(
            f"{name}: input and target must have one shape, got {input.shape} and {target.shape}"
        )
    classes = scores.shape[1]
    _check_classes(name, target.data, -1, classes)
    times = _times_named(target.data.reshape(scores.shape), classes).astype(scores.dtype)
    pairs = times[:, :, None] * (times == 0)[:, None, :]
    lacking: Tensor = apply(ops.relu, scores.unsqueeze(1) - scores.unsqueeze(2) + 1)
    terms = (lacking * Tensor(pairs)).sum((1, 2)) / classes
    return reduced(name, terms.reshape(input.shape[:-1]), reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """Return the mean over the classes of `binary_cross_entropy_with_logits`.

    Args:
        input: Scores, (..., C).
        target: 1 for the right classes, 0 for the others; shapes broadcast.
        weight: Factors of the classes, (C,). Default: 1 each.
        reduction: "mean" over the samples, "sum", or "none".

    Raises:
        ValueError: If the reduction is unknown.
        TypeError: If ``input`` is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> multilabel_soft_margin_loss(dg.zeros(1, 2), dg.tensor([[1, 0]]))
        tensor(0.6931)
    """
    terms = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    terms = terms if weight is None else terms * weight
    return reduced("multilabel_soft_margin_loss", terms.mean(-1), reduction)


def _rows_of_scores(name: str, input: Tensor) -> Tensor:
    check_floating(name, input)
    if input.ndim > 2 or input.shape[-1:] == (0,):
        raise ValueError(
            f"{name}: the scores must have shape (N, C) or (C,) with one class at least, got "
            f"{input.shape}"
        )
    return input if input.ndim == 2 else input.reshape(1, -1)


def _check_classes(name: str, target: Array, low: int, classes: int) -> None:
    if target.dtype != np.int64:
        raise TypeError(f"{name}: targets must be of type int64, not {target.dtype}; use .long()")
    if first_true((target < low) | (target >= classes)) is not None:
        given = to_host(target)
        raise IndexError(
            f"{name}: targets must be from {low} to {classes - 1}, got {given.min()} to "
            f"{given.max()}"
        )


def _times_named(target: Array, classes: int) -> Any:
    """How often each sample names each class in front of its first -1."""
    xp = array_namespace(target)
    counts = running(xp, target >= 0, operation="logical_and", axis=1)
    named = (target[:, :, None] == xp.arange(classes)) & counts[:, :, None]
    return named.sum(axis=1)
